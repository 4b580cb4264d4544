# What script_clients.py asks Ruby's Net::FTP to do.
require "json"
require "net/ftp"

job = JSON.parse(ARGV[0], symbolize_names: true)
tls = job[:listener] == "clear" ? {} : { ssl: { ca_file: job[:ca] }, private_data_connection: job[:level] == "P" }
ftp = Net::FTP.new(job[:host], port: job[:port], passive: job[:mode] == "PASV", debug_mode: true,
                   open_timeout: job[:timeout], read_timeout: job[:timeout], **tls)
if job[:level] == "C" && !tls.empty?
  ftp.voidcmd("PBSZ 0")
  ftp.voidcmd("PROT C")
end
ftp.login(job[:user], job[:password])
job[:steps].each do |verb, remote, local|
  case verb
  when "put" then ftp.putbinaryfile(local, remote, 65536)
  when "get" then ftp.getbinaryfile(remote, local, 65536)
  when "abort"
    bytes = 0
    ftp.retrbinary("RETR #{remote}", 65536) do |data|
      bytes += data.bytesize
      break if bytes > job[:bytes]
    end
    # the data connection is closed now, and the transfer's own reply comes first
    reply = ftp.abort
    ftp.send(:voidresp) if reply.start_with?("4")
  end
end
ftp.quit
ftp.close
