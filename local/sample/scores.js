// All server calls of this game: save a score, see friends' scores, clear mine.
"use strict";

var KEY = "high_score";
var VIEWER = opensocial.IdSpec.PersonId.VIEWER;

// A token lives fifteen minutes. The page contains one; if it is refused, the library asks for another.
var pageToken = document.querySelector("script[data-token]").dataset.token;
opensocial.configure({
  token: function (refused) {
    if (!refused) return pageToken;
    return fetch("/sample/token?as=" + document.body.dataset.player)
      .then(function (response) { return response.json(); })
      .then(function (fresh) { return (pageToken = fresh.token); });
  }
});

function saveScore(points, done) {
  var req = opensocial.newDataRequest();
  req.add(req.newUpdatePersonAppDataRequest(VIEWER, KEY, String(points)), "response");
  req.send(function (data) {
    done(data.get("response"), 'newUpdatePersonAppDataRequest(VIEWER, "' + KEY + '", "' + points + '")');
  });
}

function clearScore(done) {
  var req = opensocial.newDataRequest();
  req.add(req.newRemovePersonAppDataRequest(VIEWER, [KEY]), "response");
  req.send(function (data) {
    done(data.get("response"), 'newRemovePersonAppDataRequest(VIEWER, ["' + KEY + '"])');
  });
}

// Four requests in one batch: my profile, my friends, my score and theirs.
function loadScores(done) {
  var params = {};
  params[opensocial.IdSpec.Field.USER_ID] = VIEWER;
  params[opensocial.IdSpec.Field.GROUP_ID] = "FRIENDS";
  var friends = opensocial.newIdSpec(params);
  var me = opensocial.newIdSpec({ userId: VIEWER });
  // Values are HTML-escaped by default, for innerHTML. This page uses textContent and needs them unescaped.
  var plain = { escapeType: opensocial.EscapeType.NONE };

  var req = opensocial.newDataRequest();
  req.add(req.newFetchPersonRequest(VIEWER, plain), "me");
  req.add(req.newFetchPeopleRequest(friends, plain), "friends");
  req.add(req.newFetchPersonAppDataRequest(me, [KEY], plain), "mine");
  req.add(req.newFetchPersonAppDataRequest(friends, [KEY], plain), "theirs");
  req.send(function (data) {
    var call = 'newFetchPersonAppDataRequest(FRIENDS, ["' + KEY + '"])';
    var failed = ["me", "friends", "mine", "theirs"].map(function (key) { return data.get(key); })
      .find(function (item) { return item.hadError(); });
    if (failed) return done(failed, call);

    var scores = Object.assign({}, data.get("mine").getData(), data.get("theirs").getData());
    var people = [data.get("me").getData()].concat(data.get("friends").getData().asArray());
    done(data.get("theirs"), call, people.map(function (person) {
      // A friend who has saved nothing is not in the data.
      var saved = (scores[person.getId()] || {})[KEY];
      return { name: person.getDisplayName(), isMe: person.isViewer(), points: saved ? Number(saved) : null };
    }));
  });
}
