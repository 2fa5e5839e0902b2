// Restores the header WWW-Authenticate of a response, adds X-Request-Id if it is missing, and gives AWS's own errors our
// form.
//
// API Gateway and function URLs rename WWW-Authenticate in every response from Lambda to
// x-amzn-Remapped-WWW-Authenticate, but OAuth clients need the original name. This is a Lambda@Edge function for
// CloudFront's origin responses. A CloudFront Function cannot do this: it runs for viewer responses only, and not if the
// origin's status is 400 or above, as it is with this header. Responses that AWS gives by itself have the request id
// only in AWS's own header. API Gateway words them as infra/gateway.yaml says; a function URL has words of its own,
// which are replaced here.
'use strict';

const RENAMED = 'x-amzn-remapped-www-authenticate';
const AWS_ID = 'x-amzn-requestid';
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
  const { request, response } = event.Records[0].cf;
  const values = response.headers[RENAMED];
  if (values) {
    response.headers['www-authenticate'] = values.map(({ value }) => ({ key: 'WWW-Authenticate', value }));
    delete response.headers[RENAMED];
  }
  if (!response.headers[ID]) {
    // Every response of the app has this header, so AWS itself has answered.
    reworded(response, request.method === 'HEAD');
    const id = response.headers[AWS_ID];
    if (id) {
      response.headers[ID] = [{ key: 'X-Request-Id', value: id[0].value }];
    }
  }
  return response;
};
