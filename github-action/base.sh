# Where the policy comes from: the base branch, if a pull request or a merge queue is judged.
# shellcheck shell=bash

# fetch_base: put the base branch's commit into BASE. Its callers ask whether it failed, and there bash
# goes on after a command that fails: each says so itself, or an older fetch would be the base
fetch_base() {
  local branch="${EVENT_BASE#refs/heads/}" depth=() ref=refs/remotes/origin/aims-gate-base
  git check-ref-format "refs/heads/$branch" || return
  [ "$(git rev-parse --is-shallow-repository)" = false ] || depth=(--depth=1)
  if [ -n "$IN_TOKEN" ] && ! git config --get "http.$GITHUB_SERVER_URL/.extraheader" > /dev/null; then
    local secret
    secret="$(printf 'x-access-token:%s' "$IN_TOKEN" | base64 | tr -d '\n')"
    mask "$secret"
    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
    export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $secret"
  fi
  git fetch --quiet --no-tags --no-recurse-submodules "${depth[@]}" origin "+refs/heads/$branch:$ref" || return
  unset GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
  BASE="$(git rev-parse --verify --quiet "$ref^{commit}")"
}

# policies_of COMMIT: paths of the files in it that call themselves policies
policies_of() {
  git grep --full-name -lzE '^kind: *["'\'']?Policy' "$1" -- ':(top,glob)**/*.yaml' ':(top,glob)**/*.yml' |
    tr '\0' '\n' || true
}

# owners_of: CODEOWNERS of the base, from where GitHub takes it
owners_of() {
  local place
  for place in .github/CODEOWNERS CODEOWNERS docs/CODEOWNERS; do
    if git cat-file blob "$BASE:$place" 2> /dev/null; then return; fi
  done
}
