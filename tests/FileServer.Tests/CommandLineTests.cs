using KTls;

namespace FileServer.Tests;

public sealed class CommandLineTests
{
    [Fact]
    public void Without_arguments_the_defaults_hold()
    {
        Settings settings = Parse();
        Assert.Equal(".", settings.Root);
        Assert.Equal("127.0.0.1:8443", settings.Listen.EndPoint.ToString());
        Assert.Equal(DataPlanePolicy.PreferKernel, settings.DataPlane);
        Assert.Equal(10_000, settings.MaxConnections);
        Assert.Null(settings.CertificateFile);
        Assert.Null(settings.Password);
    }

    [Fact]
    public void Reads_all_options_in_both_forms()
    {
        Settings settings = Parse(
            "--root", "/srv", "--listen=[::1]:0", "--cert", "c.pem", "--key=k=.pem", "--password", "p", "--data-plane", "require-kernel",
            "--handshake-timeout", "1.5", "--idle-timeout=30", "--max-connections", "7", "--verbose");
        Assert.Equal("/srv", settings.Root);
        Assert.Equal("[::1]:0", settings.Listen.EndPoint.ToString());
        Assert.Equal("c.pem", settings.CertificateFile);
        Assert.Equal("k=.pem", settings.KeyFile);
        Assert.Equal("p", settings.Password);
        Assert.Equal(DataPlanePolicy.RequireKernel, settings.DataPlane);
        Assert.Equal(TimeSpan.FromSeconds(1.5), settings.HandshakeTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), settings.IdleTimeout);
        Assert.Equal(7, settings.MaxConnections);
        Assert.True(settings.Verbose);
    }

    [Fact]
    public void The_password_comes_from_the_environment_unless_it_is_given()
    {
        Assert.Equal("e", CommandLine.Parse([], _ => "e").Password);
        Assert.Equal("a", CommandLine.Parse(["--password", "a"], _ => "e").Password);
    }

    [Theory]
    [InlineData("prefer-kernel", DataPlanePolicy.PreferKernel)]
    [InlineData("user-space", DataPlanePolicy.UserSpace)]
    [InlineData("sslstream", DataPlanePolicy.SslStream)]
    public void Knows_the_data_planes(string name, DataPlanePolicy expected) => Assert.Equal(expected, Parse("--data-plane", name).DataPlane);

    [Theory]
    [InlineData("8443", "127.0.0.1:8443")]
    [InlineData("0.0.0.0:80", "0.0.0.0:80")]
    [InlineData("localhost:1", "127.0.0.1:1")]
    [InlineData("[::]:65535", "[::]:65535")]
    public void Knows_addresses(string text, string expected) => Assert.Equal(expected, Parse("--listen", text).Listen.EndPoint.ToString());

    [Fact]
    public void A_star_is_all_addresses() => Assert.True(Parse("--listen", "*:8443").Listen.AllAddresses);

    [Theory]
    [InlineData("unknown argument '--rot'", "--rot", "x")]
    [InlineData("unknown argument 'folder'", "folder")]
    [InlineData("--root needs a value", "--root")]
    [InlineData("--root: the name is empty", "--root=")]
    [InlineData("--verbose takes no value", "--verbose=1")]
    [InlineData("--key goes with --cert", "--key", "k.pem")]
    [InlineData("'kernel' is not prefer-kernel", "--data-plane", "kernel")]
    [InlineData("'-1' is not a number of seconds", "--idle-timeout", "-1")]
    [InlineData("'0' is not a number of seconds", "--handshake-timeout", "0")]
    [InlineData("'1e9' is not a number of seconds", "--handshake-timeout", "1e9")]
    [InlineData("'0' is not a number from 1", "--max-connections", "0")]
    [InlineData("is not [ADDR:]PORT", "--listen", "")]
    [InlineData("is not [ADDR:]PORT", "--listen", "65536")]
    [InlineData("is not [ADDR:]PORT", "--listen", "127.0.0.1:")]
    [InlineData("is not [ADDR:]PORT", "--listen", "::1:8443")]
    [InlineData("is not [ADDR:]PORT", "--listen", "example.org:1")]
    [InlineData("is not [ADDR:]PORT", "--listen", "1:2")]
    [InlineData("is not [ADDR:]PORT", "--listen", "+5")]
    public void Explains_what_is_wrong(string message, params string[] arguments)
    {
        var e = Assert.Throws<UserErrorException>(() => Parse(arguments));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(2, e.ExitCode);
    }

    private static Settings Parse(params string[] arguments) => CommandLine.Parse(arguments, _ => null);
}
