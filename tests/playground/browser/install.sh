#!/bin/sh
# Installs Debian's Chromium for the tests in a browser, where it is missing and this user may do so.
# Elsewhere these tests are skipped, and say why.
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo 'Installing Chromium for the tests in a browser …'
    if (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium) \
        >/dev/null 2>&1; then exit 0; fi
    echo 'Chromium could not be installed by apt-get: the tests in a browser will be skipped.'
else
    echo 'No Chromium, and no right to install it: the tests in a browser will be skipped.'
fi
