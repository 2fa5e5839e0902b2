// ひとこと: a word a day, for friends. OpenSocial 0.8.
var SERVER = "http://hitokoto.example";
var viewer, past = [];

function byId(id) {
  return document.getElementById(id);
}

function say(text) {
  byId("message").innerHTML = gadgets.util.escapeString(text);
  gadgets.window.adjustHeight();
}

function viewerFriends() {
  var params = {};
  params[opensocial.IdSpec.Field.USER_ID] = opensocial.IdSpec.PersonId.VIEWER;
  params[opensocial.IdSpec.Field.GROUP_ID] = "FRIENDS";
  return opensocial.newIdSpec(params);
}

function load() {
  var params = {};
  params[opensocial.DataRequest.PeopleRequestFields.FILTER] = opensocial.DataRequest.FilterType.HAS_APP;
  params[opensocial.DataRequest.PeopleRequestFields.MAX] = 100;
  var req = opensocial.newDataRequest();
  req.add(req.newFetchPersonRequest(opensocial.IdSpec.PersonId.VIEWER), "viewer");
  req.add(req.newFetchPeopleRequest(viewerFriends(), params), "friends");
  req.add(req.newFetchPersonAppDataRequest(opensocial.IdSpec.PersonId.VIEWER, ["history"]), "mine");
  req.add(req.newFetchPersonAppDataRequest(viewerFriends(), ["word"]), "words");
  req.send(function (data) {
    if (data.hadError()) {
      say(data.getErrorMessage());
      return;
    }
    viewer = data.get("viewer").getData();
    byId("name").innerHTML = viewer.getDisplayName();
    var mine = data.get("mine").getData()[viewer.getId()];
    // Values come HTML-escaped; JSON must be unescaped before it is parsed.
    if (mine && mine.history) past = gadgets.json.parse(gadgets.util.unescapeString(mine.history));
    var words = data.get("words").getData(), html = [];
    data.get("friends").getData().each(function (friend) {
      var theirs = words[friend.getId()];
      html.push("<li>" + friend.getDisplayName() + ": " + (theirs && theirs.word ? theirs.word : "…") + "</li>");
    });
    byId("friends").innerHTML = html.join("");
    gadgets.window.adjustHeight();
  });
}

function save() {
  var word = byId("word").value;
  past.push(word);
  var req = opensocial.newDataRequest();
  req.add(req.newUpdatePersonAppDataRequest(opensocial.IdSpec.PersonId.VIEWER, "word", word), "word");
  req.add(req.newUpdatePersonAppDataRequest(
    opensocial.IdSpec.PersonId.VIEWER, "history", gadgets.json.stringify(past)), "history");
  req.add(req.newUpdatePersonAppDataRequest(opensocial.IdSpec.PersonId.VIEWER, "count", String(past.length)), "count");
  req.send(function (data) {
    if (data.hadError()) {
      say(data.getErrorMessage());
      return;
    }
    say("のこしました");
    announce(word);
  });
}

function announce(word) {
  var params = {};
  params[opensocial.Activity.Field.TITLE] = viewer.getDisplayName() + ": " + word;
  var activity = opensocial.newActivity(params);
  opensocial.requestCreateActivity(activity, opensocial.CreateActivityPriority.LOW, function (response) {
    if (response.hadError() && window.console) console.log(response.getErrorCode(), response.getErrorMessage());
  });
}

function share() {
  opensocial.requestShareApp("VIEWER_FRIENDS", null, function (response) {
    say(response.hadError() ? response.getErrorMessage() : "誘いました");
  });
}

function ask(path, callback) {
  var params = {};
  params[gadgets.io.RequestParameters.CONTENT_TYPE] = gadgets.io.ContentType.JSON;
  params[gadgets.io.RequestParameters.AUTHORIZATION] = gadgets.io.AuthorizationType.SIGNED;
  gadgets.io.makeRequest(SERVER + path, function (response) {
    if (response.errors && response.errors.length) say(response.errors[0]);
    else callback(response.data);
  }, params);
}

function ranking() {
  ask("/ranking", function (places) {
    var html = [];
    for (var i = 0; i < places.length; i++) {
      html.push("<li>" + gadgets.util.escapeString(places[i].name) + " (" + Number(places[i].count) + ")</li>");
    }
    byId("ranking").innerHTML = html.join("");
    gadgets.window.adjustHeight();
  });
}

gadgets.util.registerOnLoadHandler(function () {
  load();
  ask("/theme", function (theme) {
    byId("theme").innerHTML = gadgets.util.escapeString(theme.text);
  });
});
