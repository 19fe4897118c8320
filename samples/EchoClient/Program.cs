using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KTls;

if (args is not [string host, string portText, string certificateFile] || !ushort.TryParse(portText, out ushort port))
{
    Console.Error.WriteLine("Usage: EchoClient HOST PORT CERTIFICATE\nSends the lines of standard input to a server, which the certificate in the file vouches for, and prints what comes back.");
    return 2;
}

var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
trust.CustomTrustStore.ImportFromPemFile(certificateFile);
var options = new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = trust };

var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
await socket.ConnectAsync(host, port);
await using KTlsStream stream = await KTlsStream.AuthenticateAsClientAsync(socket, options);
using var reader = new StreamReader(stream);
await using var writer = new StreamWriter(stream) { AutoFlush = true };
while (Console.ReadLine() is { } line)
{
    await writer.WriteLineAsync(line);
    Console.WriteLine(await reader.ReadLineAsync());
}

await stream.ShutdownAsync();
return 0;
