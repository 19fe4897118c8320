using System.Runtime.CompilerServices;

namespace KTls.Interop.Tests;

/// <summary>Programs read their settings in the home folder, and .NET keeps revocation lists there: the tests have one of their own.</summary>
internal static class HomeFolder
{
    [ModuleInitializer]
    internal static void Use() => Environment.SetEnvironmentVariable("HOME", Scenario.Directory);
}
