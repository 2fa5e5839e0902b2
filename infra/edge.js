// Restores the header WWW-Authenticate of a response, and adds X-Request-Id if it is missing.
//
// API Gateway renames WWW-Authenticate in every response from Lambda to x-amzn-Remapped-WWW-Authenticate, but OAuth
// clients need the original name. This is a Lambda@Edge function for CloudFront's origin responses. A CloudFront
// Function cannot do this: it runs for viewer responses only, and not if the origin's status is 400 or above, as it is
// with this header. API Gateway's own responses have the request id only in API Gateway's own header.
'use strict';

const RENAMED = 'x-amzn-remapped-www-authenticate';
const GATEWAY_ID = 'x-amzn-requestid';
const ID = 'x-request-id';

exports.handler = async (event) => {
  const response = event.Records[0].cf.response;
  const values = response.headers[RENAMED];
  if (values) {
    response.headers['www-authenticate'] = values.map(({ value }) => ({ key: 'WWW-Authenticate', value }));
    delete response.headers[RENAMED];
  }
  const id = response.headers[GATEWAY_ID];
  if (id && !response.headers[ID]) {
    response.headers[ID] = [{ key: 'X-Request-Id', value: id[0].value }];
  }
  return response;
};
