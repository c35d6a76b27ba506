package fileiotest

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
)

// StartS3 starts a server of S3's protocol with one empty bucket, named bucket, and makes it what
// s3:// means until the test ends. It is not for parallel tests, as StartEmulator.
func StartS3(t *testing.T) {
	t.Helper()
	SetS3(t, start(t, "s3"))
	conf, err := config.LoadDefaultConfig(t.Context())
	require.NoError(t, err)
	c := s3.NewFromConfig(conf, func(o *s3.Options) { o.UsePathStyle = true })
	_, err = c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")})
	require.NoError(t, err)
}

// SetS3 makes the server at address what s3:// means until the test ends.
func SetS3(t *testing.T, address string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "tributary", "AWS_SECRET_ACCESS_KEY": "tributary",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}
