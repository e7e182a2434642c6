#!/bin/sh
# A first tour of a running ReelStream: shows each command, runs it, and prints its answer.
#
#   examples/tour.sh [URL]      http://localhost:3000 by default
#
# It registers a new user each time, so it can be repeated.
set -eu
cd "$(dirname "$0")/.."
URL=${1:-${URL:-http://localhost:3000}}
NAME=ada_$(date +%s)_$$
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT

# step TITLE <<COMMAND: runs the command and keeps its answer in $ANSWER.
step() {
  COMMAND=$(cat)
  printf '\n%s\n\n%s\n\n' "── $1" "$COMMAND"
  if ! eval "$COMMAND" >"$ANSWER"; then
    echo "$URL does not answer. Start ReelStream (npm start), or pass its URL: examples/tour.sh http://localhost:3000" >&2
    exit 1
  fi
  # Prints the answer with line breaks, and fails when the answer is an error.
  node -e '
    const text = require("fs").readFileSync(process.argv[1], "utf8");
    const answer = JSON.parse(text);
    console.log(JSON.stringify(answer, undefined, 2));
    process.exit(answer.success ? 0 : 1);
  ' "$ANSWER"
}

# field PATH: prints a field of the last answer.
field() {
  node -p '
    process.argv[2].split(".").reduce((value, name) => value[name], JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")))
  ' "$ANSWER" "$1"
}

printf 'ReelStream at %s; NAME is %s\n' "$URL" "$NAME"

step 'Register' <<'COMMAND'
curl -sS $URL/api/v1/auth/register -H 'Content-Type: application/json' \
  -d '{"name":"Ada Lovelace","username":"'$NAME'","email":"'$NAME'@example.org","password":"engine#1843"}'
COMMAND
ROLE=$(field meta.role)

step 'Log in. TOKEN is data.accessToken of the answer' <<'COMMAND'
curl -sS $URL/api/v1/auth/login -H 'Content-Type: application/json' \
  -d '{"email":"'$NAME'@example.org","password":"engine#1843"}'
COMMAND
TOKEN=$(field data.accessToken)

step 'Upload a clip. The answer comes when FFmpeg is done and the clip can be played. VIDEO is data.id of the answer' <<'COMMAND'
curl -sS $URL/api/v1/video/upload -H "Authorization: Bearer $TOKEN" \
  -F video=@examples/clip.mp4 -F 'data={"title":"Test card","description":"Four seconds"}'
COMMAND
VIDEO=$(field data.id)
CLIP=$(field data.url)

step 'Watch it: this counts a view' <<'COMMAND'
curl -sS $URL/api/v1/video/$VIDEO
COMMAND

step 'Like it. The same request again removes the like' <<'COMMAND'
curl -sS -X POST $URL/api/v1/video/$VIDEO -H "Authorization: Bearer $TOKEN"
COMMAND

step 'Look at the feed, newest first' <<'COMMAND'
curl -sS "$URL/api/v1/video?limit=2"
COMMAND

step 'See the numbers of today' <<'COMMAND'
curl -sS "$URL/api/v1/analytics?startDate=$(date -u +%F)&endDate=$(date -u +%F)" -H "Authorization: Bearer $TOKEN"
COMMAND

cat <<END

── What next

Play the clip:               $CLIP
All operations:              $URL/docs
The real-time channel:       $URL/docs/realtime
See events as they happen:   URL=$URL node examples/realtime.js feed video:$VIDEO
END

if [ "$ROLE" = admin ]; then
  cat <<END

$NAME registered first, so it is the administrator, with a password that everybody can read here. Register your own account, then:
  npm run -s reelstream -- admins grant <your e-mail>
  npm run -s reelstream -- admins revoke $NAME@example.org
END
fi
