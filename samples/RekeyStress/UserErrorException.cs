namespace RekeyStress;

/// <summary>Something the user can put right: one clear line on standard error, and exit code 2.</summary>
internal sealed class UserErrorException(string message) : Exception(message);
