"""
Python's ftplib as a client program, for wan.py: wan_ftplib.py HOST PORT USER CA get|put FOLDER FILE...

get copies files of the server to the standard output, put stores local files in FOLDER. The program prints
"ready" on the standard error and waits for a line, so that the start of Python does not count.
"""
import ftplib
import os
import ssl
import sys


def main():
    host, port, user, ca, direction, folder, *files = sys.argv[1:]
    ftp = ftplib.FTP_TLS(context=ssl.create_default_context(cafile=ca), timeout=60)
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    ftp.connect(host, int(port))
    ftp.login(user, "secret")
    ftp.prot_p()
    for path in files:
        if direction == "get":
            ftp.retrbinary(f"RETR {path}", lambda data: os.write(1, data), blocksize=65536)
        else:
            with open(path, "rb") as f:
                ftp.storbinary(f"STOR {folder}{os.path.basename(path)}", f, blocksize=65536)
    ftp.quit()


if __name__ == "__main__":
    main()
