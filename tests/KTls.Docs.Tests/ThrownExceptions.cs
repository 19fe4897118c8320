using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace KTls.Docs.Tests;

/// <summary>
/// The exceptions that a member makes by itself, in its own code and in private methods of its type that it calls: read from the compiled
/// code, as no reflection tells them.
/// </summary>
internal static class ThrownExceptions
{
    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value & 0xffff);

    public static HashSet<Type> Of(MethodBase method)
    {
        var thrown = new HashSet<Type>();
        var seen = new HashSet<MethodBase>();
        Collect(method);
        return thrown;

        void Collect(MethodBase called)
        {
            if (!seen.Add(called))
            {
                return;
            }

            foreach (MethodBase callee in Calls(Body(called)))
            {
                Type owner = callee.DeclaringType!;
                if (typeof(Exception).IsAssignableFrom(owner) && (callee.IsConstructor || callee.Name.StartsWith("Throw", StringComparison.Ordinal)))
                {
                    thrown.Add(owner);
                }
                else if (owner == method.DeclaringType && callee.IsPrivate && !callee.IsSpecialName)
                {
                    Collect(callee);
                }
            }
        }
    }

    private static MethodBase Body(MethodBase method) => method.GetCustomAttribute<AsyncStateMachineAttribute>() is { } machine
        ? machine.StateMachineType.GetMethod("MoveNext", BindingFlags.Instance | BindingFlags.NonPublic)!
        : method;

    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (int i = 0; i < code.Length;)
        {
            OpCode operation = OpCodesByValue[code[i] == 0xfe ? 0xfe00 | code[i + 1] : code[i]];
            i += operation.Size;
            if (operation.OperandType == OperandType.InlineMethod)
            {
                yield return method.Module.ResolveMethod(BitConverter.ToInt32(code, i), TypeArguments(method), method.IsGenericMethod ? method.GetGenericArguments() : null)!;
            }

            i += operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, i)),
                _ => 4,
            };
        }
    }

    private static Type[]? TypeArguments(MethodBase method) => method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
}
