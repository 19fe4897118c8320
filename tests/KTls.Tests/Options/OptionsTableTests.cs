using System.Globalization;
using System.Net.Security;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.Tests;

/// <summary>docs/OPTIONS.md has every member of .NET's options and ours. Each line about .NET's has a test, and ours tell the defaults that hold.</summary>
public sealed class OptionsTableTests
{
    private static readonly Type[] Types =
        [typeof(SslServerAuthenticationOptions), typeof(SslClientAuthenticationOptions), typeof(CipherSuitesPolicy), typeof(X509ChainPolicy)];

    public static TheoryData<string, string> Members()
    {
        var data = new TheoryData<string, string>();
        foreach (Type type in Types)
        {
            foreach (PropertyInfo property in type.GetProperties())
            {
                data.Add(type.Name, property.Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Members))]
    public void Every_member_has_a_line_and_a_test(string type, string member)
    {
        Assert.Contains(member, Lines(type));
        Assert.Contains(
            typeof(OptionsTableTests).Assembly.GetTypes().SelectMany(tests => tests.GetMethods()).SelectMany(test => test.GetCustomAttributes<OptionAttribute>()),
            option => option.Type.Name == type && option.Member == member);
    }

    [Fact]
    public void No_line_is_about_a_member_that_is_not_there()
    {
        foreach (Type type in Types)
        {
            Assert.Equal(type.GetProperties().Select(property => property.Name).Order(StringComparer.Ordinal), Lines(type.Name).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Every_option_of_ours_has_a_line_with_its_default()
    {
        foreach (object options in new object[] { new KTlsOptions(), new ServerCredentialFilesOptions() })
        {
            Assert.Equal(
                options.GetType().GetProperties().Select(property => $"{property.Name}: {Text(property.GetValue(options))}").Order(StringComparer.Ordinal),
                Rows("OPTIONS.md", options.GetType().Name).Select(cells => $"{cells[0].Trim('`')}: {cells[1]}").Order(StringComparer.Ordinal));
        }
    }

    /// <summary>The limits stand in docs/SECURITY.md, with others.</summary>
    [Fact]
    public void Every_limit_has_a_line_with_its_default() => Assert.Equal(
        typeof(HandshakeLimits).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => $"{property.Name}: {Text(property.GetValue(HandshakeLimits.Default))}").Order(StringComparer.Ordinal),
        Rows("SECURITY.md", "Limits").Where(cells => cells[2].StartsWith("`HandshakeLimits.", StringComparison.Ordinal))
            .Select(cells => $"{cells[2].Trim('`').Split('.')[1]}: {cells[1]}").Order(StringComparer.Ordinal));

    private static IEnumerable<string> Lines(string type) => Rows("OPTIONS.md", type).Select(cells => cells[0].Trim('`'));

    // The cells of a section's table, without its head.
    private static IEnumerable<string[]> Rows(string page, string section) => File.ReadAllText(Path.Combine(Root(), "docs", page))
        .Split("\n## ").Single(part => part.StartsWith(section + "\n", StringComparison.Ordinal))
        .Split('\n').Where(line => line.StartsWith('|')).Skip(2)
        .Select(line => line.Trim('|', ' ').Split(" | "));

    private static string Text(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        TimeSpan time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds} s"),
        HandshakeLimits limits when limits == HandshakeLimits.Default => "HandshakeLimits.Default",
        TimeProvider clock when clock == TimeProvider.System => "TimeProvider.System",
        long bytes when bytes % (1 << 30) == 0 => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 30} GiB"),
        int bytes when bytes >= 1 << 16 && bytes % 1024 == 0 => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 10} KiB"),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    internal static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "KTls.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder;
    }
}
