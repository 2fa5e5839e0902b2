// Gives an answer its WWW-Authenticate back.
//
// API Gateway renames the header of every answer from Lambda to x-amzn-Remapped-WWW-Authenticate, and OAuth clients read
// it by its own name. This runs as a Lambda@Edge function on CloudFront's origin responses. A CloudFront Function cannot
// do it: CloudFront runs those on answers to viewers only, and never where the origin's status is 400 or above, which is
// where this header is.
'use strict';

const RENAMED = 'x-amzn-remapped-www-authenticate';

exports.handler = async (event) => {
  const response = event.Records[0].cf.response;
  const values = response.headers[RENAMED];
  if (values) {
    response.headers['www-authenticate'] = values.map(({ value }) => ({ key: 'WWW-Authenticate', value }));
    delete response.headers[RENAMED];
  }
  return response;
};
