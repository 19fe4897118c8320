using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace KTls.Docs.Tests;

/// <summary>What a user sees of a package is described: every member, every parameter, and numbers with unit and bounds.</summary>
public sealed partial class PublicMemberTests
{
    private static readonly Type[] Numbers =
        [typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(nint), typeof(float), typeof(double), typeof(decimal), typeof(TimeSpan)];

    [Fact]
    public void Every_public_member_is_described()
    {
        string[] faults = [.. PublicMembers.All.SelectMany(member => FaultsOf(member).Select(fault => $"{DocumentationId.Of(member)}: {fault}"))];
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
        string[] members = [.. PublicMembers.All.Select(DocumentationId.Of).Order(StringComparer.Ordinal)];
        if (Environment.GetEnvironmentVariable("KTLS_WRITE_PUBLIC_API") is { Length: > 0 })
        {
            File.WriteAllLines(file, members);
        }

        Assert.Equal(File.ReadAllLines(file), members);
    }

    /// <summary>The rules have teeth: texts that look as if they said something, and do not.</summary>
    [Theory]
    [InlineData("The sequence (RFC 8446 §5.3), since TLS 1.3 and Linux 6.14. Default: 4.", false, false)]
    [InlineData("Bytes of content.", true, false)]
    [InlineData("From 0 to 8.", false, true)]
    [InlineData("How many tickets, 0 to 8.", true, true)]
    public void References_and_defaults_are_neither_unit_nor_bounds(string text, bool hasUnit, bool hasBounds)
    {
        Assert.Equal(hasUnit, HasUnit(text));
        Assert.Equal(hasBounds, HasBounds(text));
    }

    private static IEnumerable<string> FaultsOf(MemberInfo member)
    {
        if (!PublicMembers.Pages.TryGetValue(DocumentationId.Of(member), out XElement? page))
        {
            // The constructor that the compiler adds cannot be described.
            if (member is not ConstructorInfo constructor || constructor.GetParameters().Length != 0)
            {
                yield return "is not described";
            }

            yield break;
        }

        XElement? inherited = InheritedPage(member, page, out string? fault);
        if (fault is not null)
        {
            yield return fault;
        }

        bool inherits = page.Element("inheritdoc") is not null;
        if (!inherits && string.IsNullOrWhiteSpace(page.Element("summary")?.Value))
        {
            yield return "has no summary";
        }

        if (member is PropertyInfo property && IsNumber(property.PropertyType) && !inherits)
        {
            foreach (string lack in Lacks(page.Value, property.PropertyType, isGiven: property.SetMethod is { } setter && PublicMembers.IsVisible(setter)))
            {
                yield return $"{lack}: {page.Value.Trim()}";
            }
        }

        foreach (ParameterInfo parameter in (member as MethodBase)?.GetParameters() ?? [])
        {
            string? text = Parameter(page, parameter) ?? (inherited is null ? null : Parameter(inherited, parameter));

            // What .NET's own types say about their members is theirs.
            if (string.IsNullOrWhiteSpace(text))
            {
                if (!inherits || inherited is not null)
                {
                    yield return $"the parameter {parameter.Name} is not described";
                }
            }
            else if (IsNumber(parameter.ParameterType))
            {
                foreach (string lack in Lacks(text, parameter.ParameterType, isGiven: !parameter.IsOut))
                {
                    yield return $"the parameter {parameter.Name}: {lack}: {text.Trim()}";
                }
            }
        }

        // Without parameters the summary is about nothing else.
        if (member is MethodInfo { ReturnType: { } result } method && method.GetParameters().Length != 0 && result != typeof(void) && !inherits && string.IsNullOrWhiteSpace(page.Element("returns")?.Value))
        {
            yield return "does not say what it returns";
        }
    }

    /// <summary>The page that a member's inheritdoc leads to, if it is one of ours; a fault if it leads nowhere.</summary>
    private static XElement? InheritedPage(MemberInfo member, XElement page, out string? fault)
    {
        fault = null;
        if (page.Element("inheritdoc") is not { } inheritdoc)
        {
            return null;
        }

        if (inheritdoc.Attribute("cref")?.Value is { } reference)
        {
            XElement? target = PublicMembers.Pages.GetValueOrDefault(reference);
            fault = target is null ? $"inherits from {reference}, which is not described" : null;
            return target;
        }

        MethodInfo? method = member as MethodInfo ?? (member as PropertyInfo)?.GetMethod;
        bool overrides = method is not null && method.GetBaseDefinition() != method;
        bool implements = method?.DeclaringType is { IsInterface: false } type
            && type.GetInterfaces().Any(contract => type.GetInterfaceMap(contract).TargetMethods.Contains(method));
        fault = overrides || implements ? null : "inherits from nowhere";
        return null;
    }

    private static string? Parameter(XElement page, ParameterInfo parameter) =>
        page.Elements("param").FirstOrDefault(param => param.Attribute("name")!.Value == parameter.Name)?.Value;

    // What a caller gives has bounds; what he gets has at least a unit. A time has its unit in its type, and an errno both from the kernel.
    private static IEnumerable<string> Lacks(string text, Type type, bool isGiven)
    {
        if (NotUsed().IsMatch(text) || text.Contains("errno", StringComparison.Ordinal))
        {
            yield break;
        }

        if (!HasUnit(text) && Bare(type) != typeof(TimeSpan))
        {
            yield return "tells no unit";
        }

        if (isGiven && !HasBounds(text))
        {
            yield return "tells no bounds";
        }
    }

    private static bool HasUnit(string text) => Unit().IsMatch(Reference().Replace(text, ""));

    private static bool HasBounds(string text) => Bounds().IsMatch(Reference().Replace(text, ""));

    private static bool IsNumber(Type type) => Numbers.Contains(Bare(type));

    private static Type Bare(Type type)
    {
        Type value = type.IsByRef ? type.GetElementType()! : type;
        return Nullable.GetUnderlyingType(value) ?? value;
    }

    // Numbers that say nothing about this one.
    [GeneratedRegex(@"\bRFC \d+( §[\dA-Z.]+)?|§[\dA-Z.]+\d|\b(TLS|Linux) \d[\d.]*|\bDefault\b[^.]*|[\d,]+ by default", RegexOptions.IgnoreCase)]
    private static partial Regex Reference();

    [GeneratedRegex(@"\b(bytes?|seconds?|milliseconds|hours?|days|how many|how often|number of|number|the most|index|records|connections|messages|counter|times|keys|servers)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Unit();

    [GeneratedRegex(@"\bfrom [\d,]+|[\d^,]+ (to|or) [\d^,]+|\bat (least|most)\b|\bup to\b|\bpositive\b|\bunder\b|\bwithin\b|\binside\b", RegexOptions.IgnoreCase)]
    private static partial Regex Bounds();

    [GeneratedRegex(@"^\s*(Not used\.|Not supported\.)")]
    private static partial Regex NotUsed();
}
