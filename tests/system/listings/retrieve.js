var params = {};
params[opensocial.IdSpec.Field.USER_ID] = opensocial.IdSpec.PersonId.VIEWER;
params[opensocial.IdSpec.Field.GROUP_ID] = "FRIENDS";
var idSpec = opensocial.newIdSpec(params);
var req = opensocial.newDataRequest();
req.add(req.newFetchPersonAppDataRequest(idSpec, ["comment"]), "response");
req.send(function(data) {
  var response = data.get("response").getData();
  for (var id in response) {
    var msg = response[id]["comment"];
    // do something...
  }
});
