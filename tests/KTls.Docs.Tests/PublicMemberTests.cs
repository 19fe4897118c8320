using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using KTls.Handshake;
using KTls.Kestrel;

namespace KTls.Docs.Tests;

/// <summary>What a user sees of a package is described: every member, every parameter, and numbers with their unit or bounds.</summary>
public sealed partial class PublicMemberTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Type[] Numbers = [typeof(int), typeof(long), typeof(uint), typeof(ulong), typeof(ushort), typeof(double), typeof(TimeSpan)];

    public static TheoryData<Assembly> Packages => [typeof(TlsHandshake).Assembly, typeof(KTlsStream).Assembly, typeof(IKTlsFeature).Assembly];

    [Theory]
    [MemberData(nameof(Packages))]
    public void Every_public_member_is_described(Assembly package)
    {
        Dictionary<string, XElement> pages = XDocument.Load(Path.ChangeExtension(package.Location, ".xml"))
            .Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);
        MemberInfo[] members = [.. package.GetExportedTypes().SelectMany(type => type.GetMembers(Declared).Where(IsForUsers).Prepend(type))];
        Assert.NotEmpty(members);
        string[] faults = [.. members.SelectMany(member => FaultsOf(member, pages).Select(fault => $"{DocumentationId.Of(member)}: {fault}"))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    /// <summary>
    /// What the packages show is what PublicApi.txt says: nothing is public by accident, and nothing changes unnoticed.
    /// With KTLS_WRITE_PUBLIC_API set it is written anew, to be looked at with git.
    /// </summary>
    [Fact]
    public void The_public_members_are_those_of_the_snapshot()
    {
        string file = Repository.PathOf("tests/KTls.Docs.Tests/PublicApi.txt");
        string[] members = [.. Packages.SelectMany(package => package.Data.GetExportedTypes())
            .SelectMany(type => type.GetMembers(Declared).Where(IsForUsers).Prepend(type)).Select(DocumentationId.Of).Order(StringComparer.Ordinal)];
        if (Environment.GetEnvironmentVariable("KTLS_WRITE_PUBLIC_API") is { Length: > 0 })
        {
            File.WriteAllLines(file, members);
        }

        Assert.Equal(File.ReadAllLines(file), members);
    }

    private static IEnumerable<string> FaultsOf(MemberInfo member, Dictionary<string, XElement> pages)
    {
        if (!pages.TryGetValue(DocumentationId.Of(member), out XElement? page))
        {
            // The constructor that the compiler adds cannot be described.
            if (member is not ConstructorInfo constructor || constructor.GetParameters().Length != 0)
            {
                yield return "is not described";
            }

            yield break;
        }

        bool inherits = page.Element("inheritdoc") is not null;
        string summary = page.Element("summary")?.Value ?? "";
        if (!inherits && string.IsNullOrWhiteSpace(summary))
        {
            yield return "has no summary";
        }

        if (member is PropertyInfo property && Numbers.Contains(Bare(property.PropertyType)) && !inherits && !Measure().IsMatch(page.Value))
        {
            yield return $"tells no unit and no bounds: {page.Value.Trim()}";
        }

        foreach (ParameterInfo parameter in (member as MethodBase)?.GetParameters() ?? [])
        {
            string? text = page.Elements("param").FirstOrDefault(param => param.Attribute("name")!.Value == parameter.Name)?.Value;
            if (text is null)
            {
                if (!inherits)
                {
                    yield return $"the parameter {parameter.Name} is not described";
                }
            }
            else if (Numbers.Contains(Bare(parameter.ParameterType)) && !Measure().IsMatch(text))
            {
                yield return $"the parameter {parameter.Name} tells no unit and no bounds: {text.Trim()}";
            }
        }
    }

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static bool IsForUsers(MemberInfo member) => member.GetCustomAttribute<CompilerGeneratedAttribute>() is null && member switch
    {
        MethodBase { IsConstructor: true, DeclaringType: { } type } constructor => IsVisible(constructor) && !constructor.IsStatic && !(type.IsValueType && constructor.GetParameters().Length == 0) && !typeof(Delegate).IsAssignableFrom(type),
        MethodBase method => IsVisible(method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) && !typeof(Delegate).IsAssignableFrom(method.DeclaringType),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible),
        FieldInfo field => (field.IsPublic || field.IsFamily) && !field.IsSpecialName,
        EventInfo @event => IsVisible(@event.AddMethod!),
        _ => false,
    };

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    [GeneratedRegex(@"\d|\b(bytes?|bits?|seconds?|milliseconds?|hours?|days?|number|many|count|length|positive|negative|infinite|at least|at most|not used|version|errno|how long|index|not supported|counter|connections|records|keys|messages)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Measure();
}
