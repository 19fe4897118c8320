using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>OpenSSL's functions, called by ourselves, and .NET's classes, which do the work where those cannot be had, give the same.</summary>
public sealed class ProviderTests
{
    private const string WithoutOpenSsl = "KTLS_TESTS_WITHOUT_OPENSSL";

    private static readonly int[] Lengths = [0, 1, 16, 55, 64, 129, 1000, 16401];

    public static TheoryData<string> Hashes => ["SHA256", "SHA384"];

    public static TheoryData<string, int> Aeads => new()
    {
        { nameof(AeadAlgorithm.AesGcm), 16 },
        { nameof(AeadAlgorithm.AesGcm), 32 },
        { nameof(AeadAlgorithm.ChaCha20Poly1305), 32 },
    };

    /// <summary>This machine has OpenSSL 3, so what is tested here is what servers use; but for the process that is started below.</summary>
    [Fact]
    public void OpenSSL_does_the_work_unless_it_is_told_not_to()
    {
        bool isExpected = Environment.GetEnvironmentVariable(WithoutOpenSsl) is null;
        Assert.Equal(isExpected, OpenSsl.Digest(HashAlgorithmName.SHA256) != 0);
        Assert.Equal(isExpected, OpenSsl.Digest(HashAlgorithmName.SHA384) != 0);
        Assert.Equal(0, OpenSsl.Digest(HashAlgorithmName.SHA512));
        Assert.Equal(isExpected, OpenSsl.Cipher(AeadAlgorithm.AesGcm, 16) != 0);
        Assert.Equal(isExpected, OpenSsl.Cipher(AeadAlgorithm.AesGcm, 32) != 0);
        Assert.Equal(isExpected, OpenSsl.Cipher(AeadAlgorithm.ChaCha20Poly1305, 32) != 0);
        Assert.Equal(0, OpenSsl.Cipher(AeadAlgorithm.AesCcm, 16));
        using Digest digest = Digest.Create(HashAlgorithmName.SHA256);
        using var hmac = Hmac.Create(HashAlgorithmName.SHA384);
        Assert.Equal(isExpected ? typeof(Digest.OpenSslDigest) : typeof(Digest.DotNetDigest), digest.GetType());
        Assert.Equal(isExpected ? typeof(Hmac.OpenSslHmac) : typeof(Hmac.DotNetHmac), hmac.GetType());
    }

    /// <summary>OpenSSL is the library that .NET has loaded, not a second one with settings of its own.</summary>
    [Fact]
    public void There_is_one_libcrypto()
    {
        Assert.NotEqual(0, OpenSsl.Digest(HashAlgorithmName.SHA256));
        IEnumerable<string> files = File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..]).Where(file => file.Contains("libcrypto", StringComparison.Ordinal));
        Assert.Single(files.Distinct());
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void Digests_go_on_after_they_were_asked(string name)
    {
        var hash = new HashAlgorithmName(name);
        foreach (Func<Digest> create in new Func<Digest>[] { () => Digest.Create(hash), () => new Digest.DotNetDigest(hash) })
        {
            using Digest digest = create();
            byte[] all = [];
            byte[] buffer = new byte[CipherSuite.MaxHashLength];
            foreach (int length in Lengths)
            {
                byte[] piece = Bytes(length);
                digest.Append(piece);
                all = [.. all, .. piece];
                Assert.Equal(CryptographicOperations.HashData(hash, all), digest.Current(buffer).ToArray());
                Assert.Equal(CryptographicOperations.HashData(hash, all), digest.Current(buffer).ToArray());
            }

            Assert.Equal(CryptographicOperations.HashData(hash, all), digest.Finish(buffer).ToArray());
            Assert.Equal(CryptographicOperations.HashData(hash, []), digest.Current(buffer).ToArray());
            Assert.Throws<ArgumentOutOfRangeException>(() => digest.Current(new byte[digest.Length - 1]));
        }
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void Hmacs_take_one_key_after_the_other(string name)
    {
        var hash = new HashAlgorithmName(name);
        foreach (Func<Hmac> create in new Func<Hmac>[] { () => Hmac.Create(hash), () => new Hmac.DotNetHmac(hash) })
        {
            using Hmac hmac = create();
            byte[] output = new byte[hmac.Length];
            foreach (int keyLength in new[] { 32, 0, 48, 200, 0, 1 })
            {
                byte[] key = Bytes(keyLength);
                hmac.TakeKey(key);
                foreach (int length in Lengths)
                {
                    hmac.Compute(Bytes(length), output);
                    Assert.Equal(CryptographicOperations.HmacData(hash, key, Bytes(length)), output);
                }
            }

            Assert.Throws<ArgumentOutOfRangeException>(() => hmac.Compute([], new byte[hmac.Length - 1]));
        }
    }

    [Fact]
    public void A_thread_uses_its_hmacs_again_without_the_key()
    {
        byte[] key = Bytes(32);
        Hmac first;
        using (var keyed = new KeyedHmac(HashAlgorithmName.SHA256, key))
        {
            first = keyed.Inner;
            using var other = new KeyedHmac(HashAlgorithmName.SHA256, Bytes(5));
            using var longer = new KeyedHmac(HashAlgorithmName.SHA384, Bytes(5));
            Assert.NotSame(first, other.Inner);
            Assert.NotSame(first, longer.Inner);
            AssertKeyed(key, first);
        }

        AssertKeyed([], first);
        using var again = new KeyedHmac(HashAlgorithmName.SHA256, Bytes(7));
        Assert.Same(first, again.Inner);
        AssertKeyed(Bytes(7), first);

        static void AssertKeyed(byte[] key, Hmac hmac)
        {
            byte[] output = new byte[hmac.Length];
            hmac.Compute(Bytes(3), output);
            Assert.Equal(HMACSHA256.HashData(key, Bytes(3)), output);
        }
    }

    [Theory]
    [MemberData(nameof(Aeads))]
    public void Aeads_open_what_the_other_has_sealed(string name, int keyLength)
    {
        AeadAlgorithm algorithm = Enum.Parse<AeadAlgorithm>(name);
        byte[] key = Bytes(keyLength);
        using Aead sealing = Aead.Create(algorithm, key, isSealing: true);
        using Aead opening = Aead.Create(algorithm, key, isSealing: false);
        using Aead other = Aead.CreateDotNet(algorithm, key);
        Assert.NotEqual(other.GetType(), sealing.GetType());
        foreach (int length in Lengths)
        {
            byte[] nonce = [.. Enumerable.Repeat((byte)length, CipherSuite.NonceLength)];
            byte[] associated = Bytes(13);
            byte[] data = Bytes(length);
            byte[] tag = new byte[CipherSuite.TagLength];
            sealing.Encrypt(nonce, data, tag, associated);
            byte[] wrong = [.. data];
            Assert.False(opening.TryDecrypt(nonce, wrong, [.. tag[1..], 0], associated));
            Assert.All(wrong, b => Assert.Equal(0, b));
            Assert.False(opening.TryDecrypt(nonce, [.. data], tag, [.. associated[1..], 99]));

            byte[] opened = [.. data];
            Assert.True(opening.TryDecrypt(nonce, opened, tag, associated));
            Assert.Equal(Bytes(length), opened);
            Assert.True(other.TryDecrypt(nonce, data, tag, associated));
            Assert.Equal(Bytes(length), data);

            other.Encrypt(nonce, data, tag, associated);
            Assert.True(opening.TryDecrypt(nonce, data, tag, associated));
            Assert.Equal(Bytes(length), data);
        }
    }

    [Theory]
    [MemberData(nameof(Aeads))]
    public void Nonce_and_tag_have_their_lengths(string name, int keyLength)
    {
        AeadAlgorithm algorithm = Enum.Parse<AeadAlgorithm>(name);
        using Aead sealing = Aead.Create(algorithm, Bytes(keyLength), isSealing: true);
        using Aead opening = Aead.Create(algorithm, Bytes(keyLength), isSealing: false);
        byte[] data = Bytes(20);
        byte[] tag = new byte[16];
        sealing.Encrypt(Bytes(12), data, tag, Bytes(5));
        foreach (int length in new[] { 0, 4, 11, 13 })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => sealing.Encrypt(Bytes(length), Bytes(20), new byte[16], Bytes(5)));
            Assert.Throws<ArgumentOutOfRangeException>(() => opening.TryDecrypt(Bytes(length), [.. data], tag, Bytes(5)));
        }

        foreach (int length in new[] { 0, 4, 12, 15 })
        {
            byte[] opened = [.. data];
            Assert.Throws<ArgumentOutOfRangeException>(() => sealing.Encrypt(Bytes(12), Bytes(20), new byte[length], Bytes(5)));
            Assert.Throws<ArgumentOutOfRangeException>(() => opening.TryDecrypt(Bytes(12), opened, tag.AsSpan(0, length), Bytes(5)));
            Assert.All(opened, b => Assert.Equal(0, b));
        }
    }

    [Fact]
    public void What_is_disposed_is_of_no_use()
    {
        foreach (Aead aead in new[] { Aead.Create(AeadAlgorithm.AesGcm, Bytes(16), isSealing: true), Aead.CreateDotNet(AeadAlgorithm.AesGcm, Bytes(16)) })
        {
            aead.Dispose();
            Assert.Throws<ObjectDisposedException>(() => aead.Encrypt(Bytes(12), Bytes(3), new byte[16], Bytes(5)));
        }

        foreach (Digest digest in new[] { Digest.Create(HashAlgorithmName.SHA256), new Digest.DotNetDigest(HashAlgorithmName.SHA256) })
        {
            digest.Dispose();
            Assert.Throws<ObjectDisposedException>(() => digest.Append(Bytes(3)));
        }

        foreach (Hmac hmac in new[] { Hmac.Create(HashAlgorithmName.SHA256), new Hmac.DotNetHmac(HashAlgorithmName.SHA256) })
        {
            Assert.Throws<CryptographicException>(() => hmac.Compute(Bytes(3), new byte[32]));
            hmac.TakeKey(Bytes(3));
            hmac.Dispose();
            Assert.Throws<ObjectDisposedException>(() => hmac.TakeKey(Bytes(3)));
            Assert.Throws<ObjectDisposedException>(() => hmac.Compute(Bytes(3), new byte[32]));
        }
    }

    /// <summary>The handshakes of this project once more, in a process that is told to leave OpenSSL to .NET.</summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task Handshakes_work_with_the_classes_of_NET_alone(bool isWanted, int expectedExitCode)
    {
        string assembly = typeof(ProviderTests).Assembly.Location;
        string configuration = Path.Combine(Directory.CreateTempSubdirectory("ktls").FullName, "runtimeconfig.json");
        JsonNode root = JsonNode.Parse(await File.ReadAllTextAsync(Path.ChangeExtension(assembly, "runtimeconfig.json"), TestContext.Current.CancellationToken))!;
        JsonObject options = root["runtimeOptions"]!.AsObject();
        options["configProperties"] ??= new JsonObject();
        options["configProperties"]![OpenSsl.Switch] = isWanted;
        await File.WriteAllTextAsync(configuration, root.ToJsonString(), TestContext.Current.CancellationToken);

        // Told to use OpenSSL, the test that wants it not to be there has to fail: so the switch is what decides.
        string[] arguments = ["-method", "*.OpenSSL_does_the_work_unless_it_is_told_not_to"];
        if (!isWanted)
        {
            string[] classes = ["Rfc8448Tests", "KeyScheduleTests", "HandshakeTests", "ExporterTests", "PostHandshakeTests", "RecordProtectionTests", "ResumptionTests", "TicketKeyRingTests", "PrfTests", "ResumedClientTests", "TicketTests"];
            arguments = [.. arguments, .. classes.SelectMany(name => new[] { "-method", $"*.{name}.*" })];
        }

        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["exec", "--runtimeconfig", configuration, "--depsfile", Path.ChangeExtension(assembly, "deps.json"), assembly, .. arguments])
        {
            RedirectStandardOutput = true,
            Environment = { [WithoutOpenSsl] = "1" },
        })!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(expectedExitCode == process.ExitCode, output);
        Assert.Equal(isWanted, !output.Contains("Failed: 0", StringComparison.Ordinal));
        Assert.True(isWanted || int.Parse(output.Split("Total: ")[1].Split(',')[0], CultureInfo.InvariantCulture) > 100, output);
        Directory.Delete(Path.GetDirectoryName(configuration)!, recursive: true);
    }

    private static byte[] Bytes(int length) => [.. Enumerable.Range(1, length).Select(i => (byte)i)];
}
