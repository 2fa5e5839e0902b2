// Gives an answer its WWW-Authenticate back, and an id where it has none.
//
// API Gateway renames the header of every answer from Lambda to x-amzn-Remapped-WWW-Authenticate, and OAuth clients read
// it by its own name. This runs as a Lambda@Edge function on CloudFront's origin responses. A CloudFront Function cannot
// do it: CloudFront runs those on answers to viewers only, and never where the origin's status is 400 or above, which is
// where this header is. What API Gateway answers itself has the request's id under API Gateway's own name alone.
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
