#!/usr/bin/env bash
# A Markdown file goes in; it is the one comment of ours on the open pull request of HEAD (owner:branch) at HEAD_SHA.
# Empty, it says nothing new: a comment that is there is told so, and none is made.
set -euo pipefail
text=$1
marker='<!-- changes in AWS -->'

pull() {
  gh api --method GET "repos/$REPOSITORY/pulls" -f state=open -f base=main -f head="$HEAD" \
    --jq '.[] | select(.head.sha == env.HEAD_SHA) | .number'
}

ours() {
  MARKER=$marker gh api --method GET --paginate "repos/$REPOSITORY/issues/$1/comments" \
    --jq '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith(env.MARKER))) | .id'
}

number=$(pull | head -n 1)
if [[ -z $number ]]; then
  echo "no open pull request has $HEAD_SHA as its last commit: a newer one is on its way"
  exit 0
fi
comment=$(ours "$number" | head -n 1)
if [[ ! -s $text && -z $comment ]]; then
  exit 0
fi
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{ echo "$marker"; if [[ -s $text ]]; then cat "$text"; else echo "Nothing changes in AWS."; fi; } > "$body"
echo >> "$body"
echo "<sub>Templates of $HEAD_SHA against where it left main.</sub>" >> "$body"
if [[ -n $comment ]]; then
  gh api --method PATCH "repos/$REPOSITORY/issues/comments/$comment" -F body=@"$body" --silent
else
  gh api --method POST "repos/$REPOSITORY/issues/$number/comments" -F body=@"$body" --silent
fi
