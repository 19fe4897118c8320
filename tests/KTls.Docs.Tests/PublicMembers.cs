using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;
using KTls.Handshake;
using KTls.Kestrel;

namespace KTls.Docs.Tests;

/// <summary>What a user sees of the packages, and what the compiler has written about it.</summary>
internal static class PublicMembers
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static Assembly[] Packages { get; } = [typeof(TlsHandshake).Assembly, typeof(KTlsStream).Assembly, typeof(IKTlsFeature).Assembly];

    public static IEnumerable<Type> Types => Packages.SelectMany(package => package.GetExportedTypes());

    public static IEnumerable<MemberInfo> All => Types.SelectMany(type => type.GetMembers(Declared).Where(IsForUsers).Prepend(type));

    /// <summary>The pages of all packages, by <see cref="DocumentationId"/>.</summary>
    public static Dictionary<string, XElement> Pages { get; } = Packages
        .SelectMany(package => XDocument.Load(Path.ChangeExtension(package.Location, ".xml")).Descendants("member"))
        .ToDictionary(member => member.Attribute("name")!.Value);

    public static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsForUsers(MemberInfo member) => member.GetCustomAttribute<CompilerGeneratedAttribute>() is null && member switch
    {
        MethodBase { IsConstructor: true, DeclaringType: { } type } constructor => IsVisible(constructor) && !constructor.IsStatic && !(type.IsValueType && constructor.GetParameters().Length == 0) && !typeof(Delegate).IsAssignableFrom(type),
        MethodBase method => IsVisible(method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) && !typeof(Delegate).IsAssignableFrom(method.DeclaringType),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible),
        FieldInfo field => (field.IsPublic || field.IsFamily) && !field.IsSpecialName,
        EventInfo @event => IsVisible(@event.AddMethod!),
        _ => false,
    };
}
