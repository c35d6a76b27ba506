package fileio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
)

// azGuard returns a guard, and the context by which the client retries everything this package does, for as long as the guard says.
func azGuard(ctx context.Context, resumes bool) (*guard, context.Context) {
	g, ctx := newGuard(ctx, resumes)
	return g, policy.WithRetryOptions(ctx, policy.RetryOptions{
		MaxRetries: math.MaxInt32 - 1, // the guard's bound is on time
		RetryDelay: g.retry.First, MaxRetryDelay: g.retry.longest(),
		ShouldRetry: func(answer *http.Response, err error) bool {
			if !azTryAgain(answer, err) || !g.failed() {
				return false
			}
			if answer != nil {
				// The client ends where a server asks for a longer pause than the longest.
				for _, name := range []string{"Retry-After", "Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
					answer.Header.Del(name)
				}
			}
			return true
		},
	})
}

func azTryAgain(answer *http.Response, err error) bool {
	if err != nil {
		return azHeals(err)
	}
	switch answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// azHeals tells what is worth another try where there is no answer, or not a whole one: all but what was cancelled, names that are not
// there and certificates that are not trusted. Timeouts answer to context.DeadlineExceeded, too: whether the caller's time is over is asked before.
func azHeals(err error) bool {
	var certificate *tls.CertificateVerificationError
	return !errors.Is(err, context.Canceled) && !azNoHost(err) && !errors.As(err, &certificate) && azStatus(err) == 0
}

// azNoHost tells whether the account's name is not in the DNS, as that of one that is not there.
func azNoHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func azStatus(err error) int {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return 0
	}
	return answer.StatusCode
}

// azNotMet tells whether an object was not as a condition wants it.
func azNotMet(err error) bool {
	return bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.SourceConditionNotMet, bloberror.BlobAlreadyExists)
}

func azError(doing, path string, err error) error {
	err = azLine(err)
	switch status := azStatus(err); {
	case azNoHost(err):
		_, name, _ := splitCloud(path)
		return fmt.Errorf("%s %s: there is no storage account %s for container %s: %w", doing, path, azAccountOf(), name, &kindError{fs.ErrNotExist, err})
	case bloberror.HasCode(err, bloberror.ContainerNotFound):
		return cloudError(doing, path, err, noBucket)
	case status == http.StatusNotFound, errors.Is(err, errAzFolder):
		return cloudError(doing, path, err, noObject)
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return cloudError(doing, path, err, noAccess)
	}
	return cloudError(doing, path, err, otherFault)
}

// azLine has an error of the service read in one line, and one of a path that gives no URL without the URL, in which a signature may be.
func azLine(err error) error {
	if address := (*url.Error)(nil); errors.As(err, &address) {
		return address.Err
	}
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return err
	}
	return &azAnswer{err, answer}
}

// azAnswer reads in one line, where the client's own error has the whole answer.
type azAnswer struct {
	err    error
	answer *azcore.ResponseError
}

var azMessage = regexp.MustCompile(`<Message>([^\n<]*)`)

func (e *azAnswer) Error() string {
	text := strconv.Itoa(e.answer.StatusCode)
	if e.answer.ErrorCode != "" {
		text += " " + e.answer.ErrorCode
	}
	body, err := runtime.Payload(e.answer.RawResponse)
	if message := azMessage.FindSubmatch(body); err == nil && message != nil {
		text += ": " + strings.TrimSpace(string(message[1]))
	}
	// What was said around the answer: how long it was tried.
	return strings.Replace(e.err.Error(), e.answer.Error(), text, 1)
}

func (e *azAnswer) Unwrap() error { return e.err }
