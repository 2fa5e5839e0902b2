// gadgets.io.makeRequest without a container: fetch from the app's own server. Nothing is signed; the browser sends the
// cookie of the user's session.
gadgets.io.makeRequest = async (url, callback, params = {}) => {
  const answer = { data: null, text: "", rc: 0, errors: [] };
  try {
    const post = params.METHOD === "POST" && { body: params.POST_DATA ?? "" };
    const form = post && { "Content-Type": "application/x-www-form-urlencoded" };
    const response = await fetch(url, { method: params.METHOD, headers: { ...form, ...params.HEADERS }, ...post });
    answer.rc = response.status;
    answer.text = await response.text();
    if (!response.ok) throw new Error(`${response.status} Error`);
    answer.data = params.CONTENT_TYPE === "JSON" ? JSON.parse(answer.text) : answer.text;
  } catch (error) {
    answer.errors = [error.message];
  }
  callback(answer);
};
