var msg = "Oops! ><";
var req = opensocial.newDataRequest();
req.add(req.newUpdatePersonAppDataRequest(opensocial.IdSpec.PersonId.VIEWER, "comment", msg), "response");
req.send(function(data) {
  if (data.hadError()) {
    var msg = data.getErrorMessage();
    // do something...
  } else {
    var response = data.get("response");
    if (response.hadError()) {
      var code = response.getErrorCode();
      // do something...
    } else {
      // do something...
    }
  }
});
