using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KTls.Bench.Connections;
using KTls.Tests;

namespace KTls.Bench.Files;

/// <summary>nginx or OpenSSL's s_server, from this machine's PATH.</summary>
internal sealed class ForeignServer : IFileServer
{
    private static readonly string[] TemporaryFolders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private ForeignServer(string name, int port, DirectoryInfo folder, string working, string program, params string[] arguments)
    {
        Name = name;
        Port = port;
        _folder = folder;
        _process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            // s_server takes its input's end for its own.
            WorkingDirectory = working, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        var said = new StringBuilder();
        _process.ErrorDataReceived += (_, line) => said.AppendLine(line.Data);
        _process.BeginErrorReadLine();
        if (!WaitForPort())
        {
            _process.Kill();
            _process.WaitForExit();
            throw new InvalidOperationException($"{program} does not listen: {said}");
        }
    }

    public string Name { get; }

    public int Port { get; }

    public bool IsTls => true;

    /// <summary>nginx with one worker, kernel TLS on or off, all else as it comes.</summary>
    public static ForeignServer Nginx(bool isKernel, string files)
    {
        (DirectoryInfo folder, string certificate, string key) = CreateFolder();
        int port = FreePort();
        string configuration = Path.Combine(folder.FullName, "nginx.conf");
        string temporary = string.Join('\n', TemporaryFolders.Select(name => $"{name}_temp_path {folder}/{name};"));
        File.WriteAllText(configuration, $$"""
            daemon off;
            user root;
            worker_processes 1;
            pid {{folder}}/pid;
            events { }
            http {
              access_log off;
              sendfile on;
              tcp_nopush on;
              keepalive_requests 1000000;
              keepalive_timeout 600;
              {{temporary}}
              server {
                listen 127.0.0.1:{{port}} ssl;
                ssl_certificate {{certificate}};
                ssl_certificate_key {{key}};
                ssl_protocols TLSv1.3;
                ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
                ssl_conf_command Options {{(isKernel ? "KTLS" : "-KTLS")}};
                root {{files}};
              }
            }
            """);
        return new ForeignServer(isKernel ? "nginx, kernel TLS" : "nginx", port, folder, files, "nginx", "-p", folder.FullName, "-c", configuration, "-e", $"{folder}/error.log");
    }

    /// <summary><c>openssl s_server -sendfile -ktls</c>: one request a connection, whose answer ends with it.</summary>
    public static ForeignServer OpenSsl(string files)
    {
        (DirectoryInfo folder, string certificate, string key) = CreateFolder();
        int port = FreePort();
        return new ForeignServer(
            "openssl s_server", port, folder, files, "openssl", "s_server", "-accept", $"127.0.0.1:{port}", "-cert", certificate, "-key", key,
            "-WWW", "-sendfile", "-ktls", "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-quiet");
    }

    public TimeSpan Cpu() => ProcessTime.Of(_process.Id);

    public void Dispose()
    {
        using (var kill = Process.Start("kill", _process.Id.ToString()))
        {
            kill.WaitForExit();
        }

        _process.WaitForExit();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static (DirectoryInfo Folder, string Certificate, string Key) CreateFolder()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ktls-bench");
        string certificate = Path.Combine(folder.FullName, "certificate.pem");
        string key = Path.Combine(folder.FullName, "key.pem");
        File.WriteAllText(certificate, TestPki.Ecdsa.ExportCertificatePem());
        File.WriteAllText(key, TestPki.Ecdsa.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return (folder, certificate, key);
    }

    private static int FreePort()
    {
        using Socket listener = Loopback.Listen();
        return Loopback.Port(listener);
    }

    private bool WaitForPort()
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromSeconds(20) && !_process.HasExited; Thread.Sleep(20))
        {
            try
            {
                using Socket socket = Loopback.Connect(Port);
                return true;
            }
            catch (SocketException)
            {
                // Not yet.
            }
        }

        return false;
    }
}
