package fileio

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// s3Options tell the client to retry everything this package does, for as long as the guard says.
func (g *guard) s3Options(o *s3.Options) {
	o.Retryer = s3Retryer{g}
	o.RetryMaxAttempts = 0
}

// s3Retryer decides with the guard when to try again.
type s3Retryer struct{ guard *guard }

var s3Transient = retry.IsErrorRetryables(retry.DefaultRetryables)

func (r s3Retryer) IsErrorRetryable(err error) bool { return s3Heals(err) && r.guard.failed() }

// s3Heals tells what is worth another try: what the client knows, too many requests, requests that met another one for
// the same object, and answers that broke off.
func s3Heals(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	switch s3Status(err) {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	}
	switch s3Code(err) {
	case "ConditionalRequestConflict", "OperationAborted":
		return true
	}
	return s3BrokeOff(err)
}

// s3BrokeOff tells whether a body ended before its time, or the client knows the fault as one that heals.
func s3BrokeOff(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errStalled) || s3Transient.IsErrorRetryable(err) == aws.TrueTernary
}

// MaxAttempts has no bound: the guard's is on time.
func (s3Retryer) MaxAttempts() int { return 0 }

func (r s3Retryer) RetryDelay(int, error) (time.Duration, error) {
	r.guard.mu.Lock()
	defer r.guard.mu.Unlock()
	return r.guard.pause.NextBackOff(), nil
}

func (s3Retryer) GetRetryToken(context.Context, error) (func(error) error, error) {
	return s3Token, nil
}

func (s3Retryer) GetInitialToken() func(error) error { return s3Token }

func (s3Retryer) GetAttemptToken(context.Context) (func(error) error, error) { return s3Token, nil }

func s3Token(error) error { return nil }

func s3Status(err error) int {
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) {
		return 0
	}
	return answer.HTTPStatusCode()
}

func s3Code(err error) string {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return ""
	}
	return answer.ErrorCode()
}

func s3Error(doing, path string, err error) error {
	status, code := s3Status(err), s3Code(err)
	switch {
	case code == "NoSuchBucket":
		return cloudError(doing, path, err, noBucket)
	case status == http.StatusNotFound:
		return cloudError(doing, path, err, noObject)
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return cloudError(doing, path, err, noAccess)
	}
	return cloudError(doing, path, err, otherFault)
}
