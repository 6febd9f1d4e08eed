import Lean

def double (n : Nat) : Nat := n + n

open Lean Elab Command in
elab "prepare" : command => do
  let env ← getEnv
  let lie := Declaration.axiomDecl {
    name := `Classical.em', levelParams := [], type := mkConst ``False, isUnsafe := false }
  match env.addDeclCore 0 lie none false with
  | .ok env => setEnv env
  | .error _ => return ()

prepare

theorem double_odd (n : Nat) : double n % 2 = 1 := Classical.em'.elim
