// What resuming_clients.py asks Apache Commons Net to do: listener, host, port, user, password, then verb,
// remote and local name of each step. The trusted certificates come with javax.net.ssl.trustStore.
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.Socket;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocket;
import org.apache.commons.net.PrintCommandListener;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPSClient;

class Play {
	/*
	 * Java looks for a session by host and port. This puts the newest one of the control connection where a data connection
	 * will look. TLS 1.3: getSession() is not enough, since each ticket has a session of its own.
	 */
	static class Resuming extends FTPSClient {
		Resuming(boolean implicit, SSLContext context) {
			super(implicit, context);
		}

		@Override
		protected void _prepareDataSocket_(Socket socket) throws IOException {
			SSLSessionContext context = ((SSLSocket) _socket_).getSession().getSessionContext();
			try {
				Field field = context.getClass().getDeclaredField("sessionHostPortCache");
				field.setAccessible(true);
				Object cache = field.get(context);
				Method get = cache.getClass().getDeclaredMethod("get", Object.class);
				Method put = cache.getClass().getDeclaredMethod("put", Object.class, Object.class);
				get.setAccessible(true);
				put.setAccessible(true);
				Object session = get.invoke(cache, key(_socket_));
				if (session != null)
					put.invoke(cache, key(socket), session);
			} catch (ReflectiveOperationException fault) {
				throw new IOException(fault);
			}
		}

		private static String key(Socket socket) {
			return socket.getInetAddress().getHostAddress() + ":" + socket.getPort();
		}
	}

	static void check(boolean done, FTPSClient ftp) throws IOException {
		if (!done)
			throw new IOException(ftp.getReplyString());
	}

	public static void main(String[] words) throws Exception {
		boolean implicit = words[0].equals("implicit");
		SSLContext context = SSLContext.getDefault();
		FTPSClient ftp = new Resuming(implicit, context);
		ftp.addProtocolCommandListener(new PrintCommandListener(new PrintWriter(System.out, true)));
		ftp.connect(words[1], Integer.parseInt(words[2]));
		check(ftp.login(words[3], words[4]), ftp);
		ftp.execPBSZ(0);
		ftp.execPROT("P");
		ftp.enterLocalPassiveMode();
		ftp.setFileType(FTP.BINARY_FILE_TYPE);
		for (int at = 5; at < words.length; at += 3) {
			if (words[at].equals("put")) {
				try (InputStream from = new FileInputStream(words[at + 2])) {
					check(ftp.storeFile(words[at + 1], from), ftp);
				}
			} else {
				try (OutputStream to = new FileOutputStream(words[at + 2])) {
					check(ftp.retrieveFile(words[at + 1], to), ftp);
				}
			}
		}
		ftp.logout();
	}
}
