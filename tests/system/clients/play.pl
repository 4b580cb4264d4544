# What resuming_clients.py asks Perl's Net::FTP to do.
use strict;
use warnings;
use JSON::PP;
use Net::FTP;

# Net::FTP names the session of the control connection by its host, but data connections look for their host and port.
IO::Socket::SSL::set_args_filter_hack(sub { $_[1]{SSL_session_key} = "all" }) if ($ARGV[1] // "") eq "resume";
my $job = decode_json($ARGV[0]);
my $implicit = $job->{listener} eq "implicit";
my $ftp = Net::FTP->new($job->{host}, Port => $job->{port}, Timeout => $job->{timeout}, Passive => $job->{mode} eq "PASV",
	SSL => $implicit, SSL_ca_file => $job->{ca}, Debug => 1) or die "connect: $@";
$implicit or $ftp->starttls or die "AUTH TLS: " . $ftp->message;
$ftp->login($job->{user}, $job->{password}) or die "login: " . $ftp->message;
$implicit and ($ftp->prot("P") or die "PROT P: " . $ftp->message);
$ftp->binary;
for (@{$job->{steps}}) {
	my ($verb, $remote, $local) = @$_;
	($verb eq "put" ? $ftp->put($local, $remote) : $ftp->get($remote, $local)) or die "$verb $remote: " . $ftp->message;
}
$ftp->quit;
