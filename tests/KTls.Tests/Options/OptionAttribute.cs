namespace KTls.Tests;

/// <summary>Says which member of .NET's options a test is about: a line of docs/OPTIONS.md.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class OptionAttribute(Type type, string member) : Attribute
{
    public Type Type { get; } = type;

    public string Member { get; } = member;
}
