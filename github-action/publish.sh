#!/usr/bin/env bash
# Show the verdict and write every output, however the gate ended.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

code="${IN_EXIT_CODE:-${IN_UNDECIDED:-3}}"
output exit-code "$code"
case "$code" in
  0) verdict=passed ;;
  1) verdict=refused ;;
  2) verdict=error ;;
  *) verdict=undecided ;;
esac
output verdict "$verdict"
[ ! -d "$IN_FOLDER/evidence" ] || output evidence-path "$IN_FOLDER/evidence"
for format in json markdown junit sarif; do
  [ ! -f "$IN_FOLDER/report.$format" ] || output "report-$format" "$IN_FOLDER/report.$format"
done
[ "$IN_MODE" != observe ] || exit 0
exit "$code"
