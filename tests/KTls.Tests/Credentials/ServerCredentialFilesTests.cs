using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;
using KTls.Handshake.Tests.Credentials;

namespace KTls.Tests.Credentials;

/// <summary>Credentials that follow their files.</summary>
public sealed class ServerCredentialFilesTests : IDisposable
{
    private static readonly ServerCredentialFilesOptions OnlyByHand = new() { Interval = Timeout.InfiniteTimeSpan };

    private readonly TempFolder _folder = new();
    private readonly List<string> _failures = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Changed_files_are_loaded_and_others_are_not()
    {
        Pair first = Pair.Create();
        Write(first);
        using ServerCredentialFiles files = Open();
        CertificateCredential before = files.Credentials.Current.Single();
        Assert.False(files.Reload());
        Write(first);
        Assert.False(files.Reload());
        Assert.Same(before, files.Credentials.Current.Single());

        Pair second = Pair.Create();
        Write(second);
        Assert.True(files.Reload());
        Assert.Equal(second.Certificate, files.Credentials.Current.Single().Certificate);
        Assert.False(files.Reload());
        Assert.Empty(_failures);
    }

    [Fact]
    public void Half_written_files_wait_for_the_other_half()
    {
        Pair first = Pair.Create();
        Pair second = Pair.Create();
        Write(first);
        using ServerCredentialFiles files = Open();
        _folder.Write("tls.crt", second.Pem);
        AssertKeeps(files, first, $"{_folder["tls.key"]}: the private key does not belong to the certificate in {_folder["tls.crt"]}");
        _folder.Write("tls.key", second.KeyPem[..60]);
        AssertKeeps(files, first, $"{_folder["tls.key"]}: the private key is damaged or incomplete");
        _folder.Write("tls.key", string.Empty);
        AssertKeeps(files, first, $"{_folder["tls.key"]}: the file is empty");
        File.Delete(_folder["tls.key"]);
        AssertKeeps(files, first, $"{_folder["tls.key"]}: no such file");
        _folder.Write("tls.key", second.KeyPem);
        Assert.True(files.Reload());
        Assert.Equal(second.Certificate, files.Credentials.Current.Single().Certificate);
    }

    [Fact]
    public void A_bad_file_that_goes_back_to_what_it_was_is_good_again()
    {
        Pair first = Pair.Create();
        Write(first);
        using ServerCredentialFiles files = Open();
        _folder.Write("tls.crt", "nonsense");
        AssertKeeps(files, first, $"{_folder["tls.crt"]}: neither PEM, nor a certificate or private key in DER, nor PKCS#7, nor PKCS#12");
        Write(first);
        Assert.True(files.Reload());
        Assert.Equal(first.Certificate, files.Credentials.Current.Single().Certificate);
    }

    [Fact]
    public void Same_size_and_same_time_stamp_hide_nothing()
    {
        Pair first = Pair.Create();
        Pair second = Pair.Create(first.Pem.Length);
        Write(first);
        DateTime time = File.GetLastWriteTimeUtc(_folder["tls.crt"]);
        using ServerCredentialFiles files = Open();
        Write(second);
        File.SetLastWriteTimeUtc(_folder["tls.crt"], time);
        File.SetLastWriteTimeUtc(_folder["tls.key"], time);
        Assert.True(files.Reload());
        Assert.Equal(second.Certificate, files.Credentials.Current.Single().Certificate);
    }

    // A secret's volume: tls.crt -> ..data/tls.crt, ..data -> ..version; the middle link is renamed over.
    [Fact]
    public void Links_are_swapped_as_Kubernetes_does()
    {
        Pair first = Pair.Create();
        Pair second = Pair.Create();
        WriteVersion("..1", first);
        Directory.CreateSymbolicLink(_folder["..data"], "..1");
        File.CreateSymbolicLink(_folder["tls.crt"], "..data/tls.crt");
        File.CreateSymbolicLink(_folder["tls.key"], "..data/tls.key");
        using ServerCredentialFiles files = Open();
        Assert.Equal(first.Certificate, files.Credentials.Current.Single().Certificate);

        WriteVersion("..2", second);
        Directory.CreateSymbolicLink(_folder["..data_tmp"], "..2");
        Directory.Move(_folder["..data_tmp"], _folder["..moved"]);
        Assert.False(files.Reload());
        Directory.Delete(_folder["..data"]);
        AssertKeeps(files, first, $"{_folder["tls.crt"]}: no such file");
        Directory.Move(_folder["..moved"], _folder["..data"]);
        Directory.Delete(_folder["..1"], recursive: true);
        Assert.True(files.Reload());
        Assert.Equal(second.Certificate, files.Credentials.Current.Single().Certificate);
    }

    // live/fullchain.pem -> archive/fullchain1.pem, then fullchain2.pem; one link after the other.
    [Fact]
    public void Links_are_swapped_as_certbot_does()
    {
        Pair first = Pair.Create();
        Pair second = Pair.Create();
        WriteVersion("archive1", first);
        WriteVersion("archive2", second);
        File.CreateSymbolicLink(_folder["tls.crt"], "archive1/tls.crt");
        File.CreateSymbolicLink(_folder["tls.key"], "archive1/tls.key");
        using ServerCredentialFiles files = Open();
        File.Delete(_folder["tls.key"]);
        File.CreateSymbolicLink(_folder["tls.key"], "archive2/tls.key");
        AssertKeeps(files, first, $"{_folder["tls.key"]}: the private key does not belong to the certificate in {_folder["tls.crt"]}");
        File.Delete(_folder["tls.crt"]);
        File.CreateSymbolicLink(_folder["tls.crt"], "archive2/tls.crt");
        Assert.True(files.Reload());
        Assert.Equal(second.Certificate, files.Credentials.Current.Single().Certificate);
    }

    [Fact]
    public void One_bad_certificate_does_not_hold_up_the_others()
    {
        Pair a = Pair.Create();
        Pair b = Pair.Create();
        _folder.Write("a.pem", a.Pem + a.KeyPem);
        _folder.Write("b.pem", b.Pem + b.KeyPem);
        using var files = new ServerCredentialFiles([new CertificateFiles { Certificate = _folder["a.pem"] }, new CertificateFiles { Certificate = _folder["b.pem"] }], OnlyByHand);
        var told = new List<string>();
        files.Reloaded += changed => told.Add($"reloaded {changed.Certificate}");
        files.ReloadFailed += (changed, _) => told.Add($"failed {changed.Certificate}");
        Pair newB = Pair.Create();
        _folder.Write("a.pem", "nonsense");
        _folder.Write("b.pem", newB.Pem + newB.KeyPem);
        Assert.True(files.Reload());
        Assert.Equal([a.Certificate, newB.Certificate], files.Credentials.Current.Select(credential => credential.Certificate));
        Assert.Equal([$"reloaded {_folder["b.pem"]}", $"failed {_folder["a.pem"]}"], told);
    }

    [Fact]
    public void Files_that_are_bad_from_the_start_are_an_error()
    {
        var e = Assert.Throws<CredentialException>(() => Open());
        Assert.Equal($"{_folder["tls.crt"]}: no such file", e.Message);
        Assert.Throws<ArgumentException>(() => new ServerCredentialFiles([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ServerCredentialFilesOptions { Interval = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ServerCredentialFilesOptions { Interval = TimeSpan.FromDays(25) });
    }

    [Fact]
    public async Task The_clock_reloads_whatever_a_subscriber_throws()
    {
        Write(Pair.Create());
        using var files = new ServerCredentialFiles([Files], new ServerCredentialFilesOptions { Interval = TimeSpan.FromMilliseconds(20), RefusesUnknownNames = true });
        Assert.True(files.Credentials.RefusesUnknownNames);
        using var reloaded = new SemaphoreSlim(0);
        files.Reloaded += _ =>
        {
            reloaded.Release();
            throw new InvalidOperationException("a subscriber's own failure");
        };
        for (int i = 0; i < 3; i++)
        {
            Pair next = Pair.Create();
            Replace(next);

            // A change that comes while the files are read is read at once, and seen as a change once more at the next tick.
            do
            {
                Assert.True(await reloaded.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
            }
            while (!next.Certificate.Equals(files.Credentials.Current.Single().Certificate));
        }

        // A tick that is under way ends.
        files.Dispose();
        while (await reloaded.WaitAsync(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken))
        {
        }

        Pair last = Pair.Create();
        Replace(last);
        Assert.False(await reloaded.WaitAsync(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Connections_under_load_never_see_a_reload()
    {
        Pair current = Pair.Create();
        Write(current);
        var valid = new ConcurrentDictionary<string, bool> { [current.Certificate.Thumbprint] = true };
        using var files = new ServerCredentialFiles([Files], new ServerCredentialFilesOptions { Interval = TimeSpan.FromMilliseconds(5) });
        using var stop = new CancellationTokenSource();
        var kernelOptions = new KTlsOptions { DataPlane = DataPlanePolicy.UserSpace, ServerCredentials = files.Credentials };
        int served = 0;
        Task[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                Assert.True(valid.ContainsKey(await ConnectAsync(kernelOptions)));
                Interlocked.Increment(ref served);
            }
        }))];

        int reloads = 0;
        files.Reloaded += _ => Interlocked.Increment(ref reloads);
        for (int i = 0; i < 20; i++)
        {
            int target = Volatile.Read(ref served) + 3;
            current = Pair.Create();
            valid[current.Certificate.Thumbprint] = true;
            _folder.Write("tls.crt", current.Pem[..300]);
            await Task.Delay(10, TestContext.Current.CancellationToken);
            Write(current);
            await WaitForAsync(() => files.Credentials.Current.Single().Certificate.Equals(current.Certificate) && Volatile.Read(ref served) >= target);
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(current.Certificate.Thumbprint, await ConnectAsync(kernelOptions));
        Assert.True(reloads >= 20, $"{reloads} reloads");
    }

    private CertificateFiles Files => new() { Certificate = _folder["tls.crt"], PrivateKey = _folder["tls.key"] };

    private ServerCredentialFiles Open()
    {
        var files = new ServerCredentialFiles([Files], OnlyByHand);
        files.ReloadFailed += (_, e) => _failures.Add(e.Message);
        return files;
    }

    private void Write(Pair pair)
    {
        _folder.Write("tls.crt", pair.Pem);
        _folder.Write("tls.key", pair.KeyPem);
    }

    private void WriteVersion(string name, Pair pair)
    {
        Directory.CreateDirectory(_folder[name]);
        _folder.Write($"{name}/tls.crt", pair.Pem);
        _folder.Write($"{name}/tls.key", pair.KeyPem);
    }

    private void Replace(Pair pair)
    {
        _folder.Write("tls.key", pair.KeyPem);
        _folder.Write("new", pair.Pem);
        File.Move(_folder["new"], _folder["tls.crt"], overwrite: true);
    }

    // The old one stays, and the failure is told once.
    private void AssertKeeps(ServerCredentialFiles files, Pair pair, string failure)
    {
        _failures.Clear();
        Assert.False(files.Reload());
        Assert.False(files.Reload());
        Assert.Equal([failure], _failures);
        Assert.Equal(pair.Certificate, files.Credentials.Current.Single().Certificate);
    }

    private static async Task<string> ConnectAsync(KTlsOptions kernelOptions)
    {
        using TcpPair tcp = TcpPair.Connect();
        using var peer = new SslStream(new NetworkStream(tcp.Client));
        Task handshake = peer.AuthenticateAsClientAsync(Sites.Client("reload.example"));
        await using KTlsStream server = await KTlsStream.AuthenticateAsServerAsync(tcp.Server, new SslServerAuthenticationOptions(), kernelOptions);
        await handshake;
        return ((X509Certificate2)peer.RemoteCertificate!).Thumbprint;
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        for (int i = 0; !condition(); i++)
        {
            Assert.True(i < 2000, "It does not happen.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    private sealed record Pair(X509Certificate2 Certificate, string Pem, string KeyPem)
    {
        public static Pair Create()
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            X509Certificate2 certificate = TestPki.Issue(key, "reload.example");
            return new Pair(certificate, certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
        }

        public static Pair Create(int length)
        {
            Pair pair;
            do
            {
                pair = Create();
            }
            while (pair.Pem.Length != length);
            return pair;
        }
    }
}
