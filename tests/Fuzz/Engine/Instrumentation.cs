using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace KTls.Fuzz;

/// <summary>Rewrites an assembly so that it counts its branches. Only the build does so, before the assembly is ever loaded.</summary>
internal static class Instrumentation
{
    public static void Apply(string assembly)
    {
        if (!IsApplied(assembly))
        {
            SharpFuzz.Fuzzer.Instrument(assembly, _ => true, SharpFuzz.Options.Value);
        }
    }

    private static bool IsApplied(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        MetadataReader metadata = file.GetMetadataReader();
        return metadata.AssemblyReferences.Any(handle =>
            metadata.GetString(metadata.GetAssemblyReference(handle).Name) == typeof(SharpFuzz.Common.Trace).Assembly.GetName().Name);
    }
}
