// Restores the header WWW-Authenticate of a response, adds X-Request-Id if it is missing, and gives AWS's own errors our
// form.
//
// API Gateway and function URLs rename WWW-Authenticate in every response from Lambda to
// x-amzn-Remapped-WWW-Authenticate, but OAuth clients need the original name. This is a Lambda@Edge function for
// CloudFront's origin responses. A CloudFront Function cannot do this: it runs for viewer responses only, and not if the
// origin's status is 400 or above, as it is with this header. Of the responses that AWS gives by itself, API Gateway
// words its own as infra/gateway.yaml says, with X-Request-Id. A function URL has words of its own, which are replaced
// here, and its request id is in a header that AWS shows to no function at the edge: X-Request-Id is then CloudFront's
// id of the request, as in X-Amz-Cf-Id.
'use strict';

const RENAMED = 'x-amzn-remapped-www-authenticate';
const ID = 'x-request-id';
const OURS = 'application/json; charset=utf-8';
const ERRORS = {}; // infra/combine.py puts the errors of infra/gateway.yaml here, by status.

const reworded = (response, head) => {
  const type = response.headers['content-type'];
  if (response.status < '400' || (type && type[0].value === OURS)) {
    return;
  }
  const { body, headers } = ERRORS[response.status] || ERRORS[response.status < '500' ? '4XX' : '5XX'];
  for (const [key, value] of Object.entries(headers)) {
    response.headers[key.toLowerCase()] = [{ key, value }];
  }
  delete response.headers['content-encoding'];
  if (!head) {
    response.body = body;
    response.bodyEncoding = 'text';
  }
};

exports.handler = async (event) => {
  const { config, request, response } = event.Records[0].cf;
  if (request.origin && request.origin.s3 && response.status.startsWith('4')) {
    // For an object that does not exist, S3 answers 403 if the reader may not list the bucket; for too long a key, 400.
    Object.assign(response, { status: '404', statusDescription: 'Not Found' });
  }
  const values = response.headers[RENAMED];
  if (values) {
    response.headers['www-authenticate'] = values.map(({ value }) => ({ key: 'WWW-Authenticate', value }));
    delete response.headers[RENAMED];
  }
  if (!response.headers[ID]) {
    // Every response of the app has this header, so AWS itself has answered: perhaps S3, with a page of /docs.
    reworded(response, request.method === 'HEAD');
    response.headers[ID] = [{ key: 'X-Request-Id', value: config.requestId }];
  }
  return response;
};
