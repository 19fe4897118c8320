using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace KTls.Docs.Tests;

/// <summary>Public members keep to what their pages promise of all of them.</summary>
public sealed class PublicBehaviourTests
{
    /// <summary>Times that are cut to what RFC 8446 §4.6.1 allows, as their page says.</summary>
    private static readonly string[] Clamped = ["P:KTls.Handshake.ServerHandshakeOptions.TicketLifetime"];

    /// <summary>Whatever waits can be told to stop, and its page says how that ends; only the end of a stream takes no token, by .NET's own signature.</summary>
    [Fact]
    public void Whatever_waits_takes_a_token() => Assert.All(
        PublicMembers.All.OfType<MethodInfo>().Where(method => IsTask(method.ReturnType) && method.Name != nameof(IAsyncDisposable.DisposeAsync)),
        method =>
        {
            Assert.Contains(method.GetParameters(), parameter => parameter.ParameterType == typeof(CancellationToken));
            Assert.True(IsDescribed(method, typeof(OperationCanceledException)) || method.DeclaringType!.IsInterface || method.Name == nameof(Stream.FlushAsync), DocumentationId.Of(method));
        });

    /// <summary>A number that is given and makes no sense is refused where it is given, and the page says so.</summary>
    [Fact]
    public void A_number_out_of_bounds_is_refused_at_once()
    {
        PropertyInfo[] settable = [.. PublicMembers.All.OfType<PropertyInfo>()
            .Where(property => property.DeclaringType!.GetConstructor([]) is not null && property.SetMethod is { IsPublic: true } && Nonsense(property.PropertyType) is not null)];
        Assert.NotEmpty(settable);
        Assert.All(settable.Where(property => !Clamped.Contains(DocumentationId.Of(property))), property =>
        {
            object options = RuntimeHelpers.GetUninitializedObject(property.DeclaringType!);
            var refusal = Assert.Throws<TargetInvocationException>(() => property.SetValue(options, Nonsense(property.PropertyType)));
            Assert.IsType<ArgumentOutOfRangeException>(refusal.InnerException);
            Assert.Contains(
                PublicMembers.Pages[DocumentationId.Of(property)].Elements("exception"),
                exception => exception.Attribute("cref")!.Value == "T:System.ArgumentOutOfRangeException");
        });
    }

    /// <summary>
    /// A wrong call is answered by an exception that the member's page names. Null and a disposed object go without saying, as in .NET's
    /// own pages for most types.
    /// </summary>
    [Fact]
    public void A_wrong_call_ends_in_an_exception_that_is_described()
    {
        string[] faults = [.. PublicMembers.All.SelectMany(member => Code(member).SelectMany(ThrownExceptions.Of).Distinct()
            .Where(IsAnswerToWrongCall).Where(type => !IsDescribed(member, type)).Select(type => $"{DocumentationId.Of(member)} does not name {type.Name}"))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    private static IEnumerable<MethodBase> Code(MemberInfo member) => member switch
    {
        MethodBase method => [method],
        PropertyInfo property => property.GetAccessors(nonPublic: true).Where(PublicMembers.IsVisible),
        _ => [],
    };

    private static bool IsAnswerToWrongCall(Type type) =>
        (typeof(ArgumentException).IsAssignableFrom(type) && type != typeof(ArgumentNullException))
        || (typeof(InvalidOperationException).IsAssignableFrom(type) && type != typeof(ObjectDisposedException))
        || typeof(NotSupportedException).IsAssignableFrom(type);

    private static bool IsDescribed(MemberInfo member, Type thrown)
    {
        XElement page = PublicMembers.Pages[DocumentationId.Of(member)];
        XElement? inherited = page.Element("inheritdoc")?.Attribute("cref")?.Value is { } reference ? PublicMembers.Pages.GetValueOrDefault(reference) : null;
        IEnumerable<string> described = page.Elements("exception").Concat(inherited?.Elements("exception") ?? []).Select(exception => exception.Attribute("cref")!.Value);
        for (Type type = thrown; type != typeof(Exception); type = type.BaseType!)
        {
            if (described.Contains($"T:{type.FullName}"))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsTask(Type type) =>
        typeof(Task).IsAssignableFrom(type) || type == typeof(ValueTask) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>));

    // -1 ms is the infinite time.
    private static object? Nonsense(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var number when number == typeof(int) => -2,
        var number when number == typeof(long) => -2L,
        var time when time == typeof(TimeSpan) => TimeSpan.FromMilliseconds(-2),
        _ => null,
    };
}
