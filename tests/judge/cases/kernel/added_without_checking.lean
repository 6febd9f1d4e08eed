import Lean

def double (n : Nat) : Nat := n + n

open Lean Elab Command in
elab "prepare" : command => do
  let env ← getEnv
  let lie := Declaration.thmDecl {
    name := `lie, levelParams := [], type := mkConst ``False, value := mkConst ``True.intro }
  match env.addDeclCore 0 lie none false with
  | .ok env => setEnv env
  | .error _ => return ()

prepare

theorem double_odd (n : Nat) : double n % 2 = 1 := lie.elim
