using System.Globalization;
using System.Reflection;

namespace KTls.Docs.Tests;

/// <summary>The names under which the compiler writes members into an assembly's XML file.</summary>
internal static class DocumentationId
{
    public static string Of(MemberInfo member) => member switch
    {
        Type type => $"T:{Name(type)}",
        MethodBase method => $"M:{Name(method.DeclaringType!)}.{(method.IsConstructor ? "#ctor" : method.Name)}{Arity(method)}{Parameters(method.GetParameters())}{Result(method)}",
        PropertyInfo property => $"P:{Name(property.DeclaringType!)}.{property.Name}{Parameters(property.GetIndexParameters())}",
        FieldInfo field => $"F:{Name(field.DeclaringType!)}.{field.Name}",
        EventInfo @event => $"E:{Name(@event.DeclaringType!)}.{@event.Name}",
        _ => throw new ArgumentException(member.ToString()),
    };

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    private static string Arity(MethodBase method) => method.IsGenericMethod ? string.Create(CultureInfo.InvariantCulture, $"``{method.GetGenericArguments().Length}") : "";

    private static string Parameters(ParameterInfo[] parameters) =>
        parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(parameter => Reference(parameter.ParameterType)))})";

    // Conversions may differ in their result alone.
    private static string Result(MethodBase method) => method is MethodInfo { Name: "op_Implicit" or "op_Explicit" } conversion ? $"~{Reference(conversion.ReturnType)}" : "";

    private static string Reference(Type type) =>
        type.IsByRef ? $"{Reference(type.GetElementType()!)}@"
        : type.IsArray ? $"{Reference(type.GetElementType()!)}[]"
        : type.IsGenericMethodParameter ? string.Create(CultureInfo.InvariantCulture, $"``{type.GenericParameterPosition}")
        : type.IsGenericTypeParameter ? string.Create(CultureInfo.InvariantCulture, $"`{type.GenericParameterPosition}")
        : type.IsConstructedGenericType ? $"{Name(type.GetGenericTypeDefinition()).Split('`')[0]}{{{string.Join(',', type.GetGenericArguments().Select(Reference))}}}"
        : Name(type);
}
