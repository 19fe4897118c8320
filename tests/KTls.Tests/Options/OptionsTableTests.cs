using System.Net.Security;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Tests;

/// <summary>docs/OPTIONS.md has every member that .NET has, and every line has a test.</summary>
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

    private static IEnumerable<string> Lines(string type)
    {
        string section = File.ReadAllText(Path.Combine(Root(), "docs", "OPTIONS.md")).Split("\n## ").Single(part => part.StartsWith(type + "\n", StringComparison.Ordinal));
        return section.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('`')[1]);
    }

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
