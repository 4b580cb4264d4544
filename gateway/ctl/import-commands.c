/*
 * The command lines of import and export: which options go together, and what they mean to
 * gateway/import.
 */
#include "gateway/ctl/import-commands.h"

#include "gateway/ctl/usage.h"
#include "gateway/import/export.h"
#include "gateway/import/import-command.h"

static bool has(const struct command_line *line, enum command_option option)
{
	return line->options[option] != NULL;
}

int import_check(const struct command_line *line)
{
	bool zos = has(line, OPTION_FTP_DATA) || has(line, OPTION_ATTLS);
	int kinds = zos + has(line, OPTION_VSFTPD) + has(line, OPTION_PROFTPD);

	if (kinds == 0)
		return usage_fault("import needs a file: --ftp-data, --attls, --vsftpd or --proftpd", "");
	if (kinds > 1)
		return usage_fault(
		    "import takes the files of one server: those of z/OS, --vsftpd, or --proftpd", "");
	if (has(line, OPTION_JSON) && !has(line, OPTION_REPORT))
		return usage_fault("--json is for --report", "");
	return 0;
}

int import_run(const struct command_line *line)
{
	struct import_request request = {
		.vsftpd = line->options[OPTION_VSFTPD],
		.proftpd = line->options[OPTION_PROFTPD],
		.backend = line->options[OPTION_BACKEND],
		.output = line->options[OPTION_OUTPUT],
		.report = line->options[OPTION_REPORT],
		.json = has(line, OPTION_JSON),
		.force = has(line, OPTION_FORCE),
	};

	_Static_assert(COMMAND_REPEATED_MAX <= IMPORT_FILES_MAX, "all of them fit");
	for (size_t i = 0; i < line->nrepeated; i++) {
		if (line->repeated[i].option == OPTION_FTP_DATA)
			request.ftp_data[request.n_ftp_data++] = line->repeated[i].value;
		else
			request.attls[request.n_attls++] = line->repeated[i].value;
	}
	return import_command(&request);
}

int export_check(const struct command_line *line)
{
	return has(line, OPTION_FTP_DATA)
		   ? 0
		   : usage_fault("export needs --ftp-data with the name of one of ftp_actions or backends",
				 "");
}

int export_run(const struct command_line *line)
{
	return export_command(line->policy, line->options[OPTION_FTP_DATA]);
}
