# shellcheck shell=sh
# The deploy hook of acme.sh: copy it to ~/.acme.sh/deploy/, then: acme.sh --deploy -d NAME --deploy-hook attlsd
attlsd_deploy() # DOMAIN KEY CERTIFICATE CA FULLCHAIN
{
	"${ATTLSD_DEPLOY:-/usr/local/share/attlsd/acme/attlsd-deploy}" "$5" "$2"
}
