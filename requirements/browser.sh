#!/bin/sh
# Chromium for the browser tests: the one that is here, else Debian's (as root), else a line that says what to do.
for program in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$program" ] && command -v "$program" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  printf '→ %s\n' 'Chromium を入れます / installing Chromium'
  export DEBIAN_FRONTEND=noninteractive
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk; } >/dev/null 2>&1 && exit 0
fi
echo '! Chromium がないため、ブラウザのテストはスキップされます: apt-get install chromium fonts-noto-cjk' \
  '/ no Chromium, so the browser tests will be skipped: apt-get install chromium fonts-noto-cjk' >&2
