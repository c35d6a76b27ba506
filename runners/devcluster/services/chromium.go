package services

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Browser is Chromium without a window, which fetches nothing of its own accord.
type Browser struct {
	// Dark asks pages for their dark colours.
	Dark bool
	// Width and Height of the window in pixels.
	Width, Height int
	// Log is what the browser has to tell; empty until it has run.
	Log bytes.Buffer
}

// Content opens the file, or an address with its scheme, and returns its elements as they are after scripts have run.
func (b *Browser) Content(ctx context.Context, file string) (string, error) {
	return b.run(ctx, file, "--dump-dom")
}

// Screenshot opens the file, or an address, and writes what the window shows to a PNG file.
func (b *Browser) Screenshot(ctx context.Context, file, png string) error {
	_, err := b.run(ctx, file, "--screenshot="+png, "--hide-scrollbars")
	return err
}

func (b *Browser) run(ctx context.Context, file string, args ...string) (string, error) {
	profile, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(profile) }() // it is below the system's temporary files
	scheme := 1
	if b.Dark {
		scheme = 0
	}
	args = append(args,
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+profile,
		"--blink-settings=preferredColorScheme="+strconv.Itoa(scheme), fmt.Sprintf("--window-size=%d,%d", b.Width, b.Height),
		"--enable-logging=stderr", "--v=0", address(file))
	cmd := exec.CommandContext(ctx, "chromium", args...)
	cmd.Stderr = &b.Log
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("chromium: %w%s", err, tail(b.Log.String()))
	}
	return string(out), nil
}

func address(file string) string {
	if strings.Contains(file, "://") {
		return file
	}
	return "file://" + file
}

// InstallBrowser fetches Chromium, if it is not there.
func InstallBrowser(ctx context.Context) error {
	dir, err := scriptsDir()
	if err != nil {
		return fmt.Errorf("lay out the service scripts: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "chromium.sh"), "install")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install chromium: %w%s", err, tail(string(said)))
	}
	return nil
}
