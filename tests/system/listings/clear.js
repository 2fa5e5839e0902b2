var req = opensocial.newDataRequest();
req.add(req.newRemovePersonAppDataRequest(
    opensocial.IdSpec.PersonId.VIEWER, ["comment"]), "response");
req.send(function(data) {
  var response = data.get("response").getData();
  if (response.hadError()) {
    var code = response.getErrorCode();
    // do something...
  }
});
