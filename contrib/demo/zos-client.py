"""
What the FTP client of z/OS does on an implicit TLS port: it reads 220 in the clear, then starts TLS, and sends a file with an active
data connection. For docs/TUTORIAL.md.

    python3 zos-client.py CA SOURCE-ADDRESS HOST PORT FILE
"""
import ftplib
import ssl
import sys

ca, source, host, port, name = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
client = ftplib.FTP_TLS(context=context)
print(client.connect(host, int(port), timeout=20, source_address=(source, 0)))
client.sock = context.wrap_socket(client.sock, server_hostname=host)
client.file = client.sock.makefile("r", encoding=client.encoding)
print("TLS with", client.sock.version())
print(client.login("anonymous", "mainframe@example.com"))
print(client.prot_p())
client.set_pasv(False)  # PORT, the default of z/OS
with open(name, "rb") as file:
    print(client.storbinary("STOR incoming/" + name.rpartition("/")[2], file))
print(client.quit())
