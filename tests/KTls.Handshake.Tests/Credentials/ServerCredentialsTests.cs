namespace KTls.Handshake.Tests.Credentials;

/// <summary>Which credential a client gets.</summary>
public sealed class ServerCredentialsTests
{
    private static readonly Func<CertificateCredential, bool> Any = _ => true;
    private static readonly Func<CertificateCredential, bool> TakesRsa = credential => credential.KeyKind == CertificateKeyKind.Rsa;
    private static readonly Func<CertificateCredential, bool> TakesEcdsa = credential => credential.KeyKind == CertificateKeyKind.Ecdsa;

    private static readonly Dictionary<string, CertificateCredential> All = new()
    {
        ["first"] = Certificates.Rsa("first.example", "also.example"),
        ["first-ecdsa"] = Certificates.Ecdsa("also.example"),
        ["wild"] = Certificates.Ecdsa("*.example.com"),
        ["wild-rsa"] = Certificates.Rsa("*.example.com"),
        ["exact"] = Certificates.Rsa("www.example.com"),
        ["apex"] = Certificates.Ecdsa("example.com"),
        ["nobody"] = Certificates.Ecdsa(),
        ["idn"] = Certificates.Ecdsa("xn--bcher-kva.example"),
    };

    private static readonly string[] Order = ["first", "first-ecdsa", "wild-rsa", "wild", "exact", "apex", "nobody", "idn"];

    [Theory]
    [InlineData("first.example", "any", "first")]
    [InlineData("FIRST.Example", "any", "first")]
    [InlineData("first.example.", "any", "first")]
    [InlineData("also.example", "any", "first-ecdsa")]
    [InlineData("also.example", "rsa", "first")]
    [InlineData("www.example.com", "any", "exact")]
    [InlineData("www.example.com", "ecdsa", "wild")]
    [InlineData("mail.example.com", "any", "wild")]
    [InlineData("MAIL.EXAMPLE.COM.", "any", "wild")]
    [InlineData("mail.example.com", "rsa", "wild-rsa")]
    [InlineData("example.com", "any", "apex")]
    [InlineData("example.com", "rsa", null)]
    [InlineData("first.example", "ecdsa", null)]
    [InlineData("a.mail.example.com", "any", "first-ecdsa")]
    [InlineData(".example.com", "any", "first-ecdsa")]
    [InlineData("*.example.com", "any", "wild")]
    [InlineData("xn--bcher-kva.example", "any", "idn")]
    [InlineData("unknown.example", "any", "first-ecdsa")]
    [InlineData("unknown.example", "rsa", "first")]
    [InlineData("", "any", "first-ecdsa")]
    [InlineData("", "rsa", "first")]
    [InlineData(".", "any", "first-ecdsa")]
    [InlineData("com", "any", "first-ecdsa")]
    public void By_name_then_by_what_fits(string name, string client, string? expected)
    {
        var credentials = new ServerCredentials(Order.Select(each => All[each]));
        bool found = credentials.TrySelect(name, client switch { "rsa" => TakesRsa, "ecdsa" => TakesEcdsa, _ => Any }, out CertificateCredential? credential, out AlertDescription refusal);
        Assert.Equal(expected is not null, found);
        Assert.Equal(expected, All.FirstOrDefault(each => each.Value == credential).Key);
        Assert.Equal(AlertDescription.HandshakeFailure, refusal);
    }

    [Theory]
    [InlineData("first.example", "first", AlertDescription.HandshakeFailure)]
    [InlineData("", "first", AlertDescription.HandshakeFailure)]
    [InlineData("unknown.example", null, AlertDescription.UnrecognizedName)]
    [InlineData(".", null, AlertDescription.UnrecognizedName)]
    public void Unknown_names_can_be_refused(string name, string? expected, AlertDescription alert)
    {
        var credentials = new ServerCredentials(All["first"], All["exact"]) { RefusesUnknownNames = true };
        Assert.Equal(expected is not null, credentials.TrySelect(name, Any, out CertificateCredential? credential, out AlertDescription refusal));
        Assert.Same(expected is null ? null : All[expected], credential);
        Assert.Equal(alert, refusal);
    }

    [Fact]
    public void A_name_that_nothing_fits_for_is_a_handshake_failure_and_no_unknown_name()
    {
        var credentials = new ServerCredentials(All["first"], All["exact"]) { RefusesUnknownNames = true };
        Assert.False(credentials.TrySelect("www.example.com", TakesEcdsa, out _, out AlertDescription refusal));
        Assert.Equal(AlertDescription.HandshakeFailure, refusal);
    }

    [Fact]
    public void Of_credentials_of_one_kind_the_earlier_comes_first()
    {
        CertificateCredential a = Certificates.Ecdsa("same.example");
        CertificateCredential b = Certificates.Ecdsa("same.example");
        Assert.Same(a, Select(new ServerCredentials(a, b), "same.example"));
        Assert.Same(b, Select(new ServerCredentials(b, a), "same.example"));
    }

    [Fact]
    public void Names_can_be_given()
    {
        CertificateCredential named = Certificates.Ecdsa("in-the-certificate.example");
        Assert.Equal(["in-the-certificate.example"], named.ServerNames);
        named.ServerNames = ["given.example", "*.given.example"];
        var credentials = new ServerCredentials(All["first"], named);
        Assert.Same(named, Select(credentials, "given.example"));
        Assert.Same(named, Select(credentials, "any.given.example"));
        Assert.Same(All["first"], Select(credentials, "in-the-certificate.example"));
    }

    [Fact]
    public void There_must_be_one_at_least()
    {
        Assert.Throws<ArgumentException>(() => new ServerCredentials());
        var credentials = new ServerCredentials(All["first"]);
        Assert.Throws<ArgumentException>(() => credentials.Replace());
        Assert.Equal([All["first"]], credentials.Current);
    }

    [Fact]
    public async Task Replacing_is_seen_whole_or_not_at_all()
    {
        CertificateCredential[] a = [Certificates.Ecdsa("x.example"), Certificates.Ecdsa("y.example")];
        CertificateCredential[] b = [Certificates.Ecdsa("y.example"), Certificates.Ecdsa("x.example")];
        var credentials = new ServerCredentials(a);
        int reads = 0;
        using var stop = new CancellationTokenSource();
        Task[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                IReadOnlyList<CertificateCredential> current = credentials.Current;
                Assert.True(current.SequenceEqual(a) || current.SequenceEqual(b));
                CertificateCredential x = Select(credentials, "x.example");
                Assert.True(x == a[0] || x == b[1]);
                Interlocked.Increment(ref reads);
            }
        }))];
        for (int i = 0; i < 2000 || Volatile.Read(ref reads) < 2000; i++)
        {
            credentials.Replace(i % 2 == 0 ? b : a);
            await Task.Yield();
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        credentials.Replace(b);
        Assert.Same(b[1], Select(credentials, "x.example"));
    }

    private static CertificateCredential Select(ServerCredentials credentials, string name) =>
        credentials.TrySelect(name, Any, out CertificateCredential? credential, out _) ? credential : throw new InvalidOperationException();
}
