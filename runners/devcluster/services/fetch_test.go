package services_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFetchedIsWhatItWas: what a registry gives is used only if it is what it was when its checksum
// was written down, and nobody else may change it then.
func TestFetchedIsWhatItWas(t *testing.T) {
	cache, bin := t.TempDir(), t.TempDir()
	// A Maven whose registry has been tampered with, or not.
	mvn := "#!/bin/sh\nfor a; do case $a in */pom.xml) d=${a%/pom.xml};; esac; done\nprintf '%s' \"$JAR\" >\"$d/a.jar\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "mvn"), []byte(mvn), 0o700))            //nolint:gosec // it is run
	require.NoError(t, os.WriteFile(filepath.Join(bin, "java"), []byte("#!/bin/sh\n"), 0o700)) //nolint:gosec // it is run
	lib, err := filepath.Abs("lib.sh")
	require.NoError(t, err)
	const sumOfGood = "f3932011e2fbb7e002f2ec70cb7ec74b683bc8a379e38f605c7ff31c62ed4697"
	install := func(jar, sum string) (string, error) {
		script := fmt.Sprintf(`. %s; NAME=test; mkdir -p "$CACHE"; maven_libs "$CACHE/libs" %s g:a:1`, lib, sum)
		cmd := exec.Command("bash", "-c", script)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache, "PATH="+bin+":"+os.Getenv("PATH"), "JAR="+jar)
		said, err := cmd.CombinedOutput()
		return string(said), err
	}
	libs := filepath.Join(cache, "tributary", "services", "libs")
	said, err := install("evil", sumOfGood)
	require.Error(t, err)
	assert.Contains(t, said, "what was fetched for libs has checksum ")
	assert.Contains(t, said, "not "+sumOfGood)
	assert.NoDirExists(t, libs)

	said, err = install("good", sumOfGood)
	require.NoError(t, err, said)
	for _, dir := range []string{libs, filepath.Dir(libs)} {
		info, err := os.Stat(dir)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), dir)
	}
	info, err := os.Stat(filepath.Join(libs, "a.jar"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
