/- sorry axiom native_decide /- unsafe -/ implemented_by -/
def double (n : Nat) : Nat := n + n
namespace sorry'
theorem native_decide_free (n : Nat) : n + n = 2 * n := by omega
def «axiom» : String := "sorry admit unsafe Lean.ofReduceBool"
theorem «a sorry b» : «axiom».length = «axiom».length := rfl
end sorry'
-- debug.skipKernelTC true
theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double; rw [sorry'.native_decide_free]; omega
