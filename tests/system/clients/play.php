<?php
// What script_clients.py asks PHP's ftp extension to do. It prints no verbs: the extension has no trace.
$job = json_decode($argv[1]);
set_error_handler(function ($kind, $text) {
	if (error_reporting() & $kind) {
		fwrite(STDERR, "$text\n");
		exit(1);
	}
});

function connect($job) {
	$connect = $job->listener == "clear" ? "ftp_connect" : "ftp_ssl_connect";
	$ftp = $connect($job->host, $job->port, $job->timeout);
	ftp_login($ftp, $job->user, $job->password);
	ftp_pasv($ftp, $job->mode == "PASV");
	return $ftp;
}

// Start a download and stop in the middle of it.
function start($ftp, $remote, $local, $bytes) {
	$state = ftp_nb_get($ftp, $local, $remote, FTP_BINARY);
	while ($state == FTP_MOREDATA && (clearstatcache() ?? filesize($local)) < $bytes)
		$state = ftp_nb_continue($ftp);
	if ($state != FTP_MOREDATA)
		trigger_error("$remote was not stopped in the middle");
}

$ftp = null;
foreach ($job->steps as [$verb, $remote, $local]) {
	$ftp = $ftp ?? connect($job);
	if ($verb == "put")
		ftp_put($ftp, $remote, $local, FTP_BINARY);
	if ($verb == "get")
		ftp_get($ftp, $local, $remote, FTP_BINARY);
	if ($verb == "close" || $verb == "abort") {
		start($ftp, $remote, $local, $job->bytes);
		// PHP cannot tell the replies to ABOR apart: a script that has sent it logs in again
		if ($verb == "abort") {
			fwrite(STDERR, "ABOR: " . implode(" | ", ftp_raw($ftp, "ABOR")) . "\n");
			@ftp_close($ftp); // an aborted data connection has no close_notify
		}
		$ftp = null; // reads the rest of the data, then closes without QUIT
	}
}
if ($ftp)
	ftp_close($ftp);
