def double (n : Nat) : Nat := n + n
section Foo
theorem double_even (n : Nat) : double n % 2 = 0 := by unfold double; omega
namespace Bar
theorem more : True := trivial
