import Lean

def double (n : Nat) : Nat := n + n

open Lean Elab Command in
elab "before" : command => do
  let env ← getEnv
  match env.addDeclCore 0 (.thmDecl {
      name := `double_odd', levelParams := [], type := mkConst ``True,
      value := mkConst ``True.intro }) none with
  | .ok env => setEnv env
  | .error _ => return ()

before

theorem double_odd'' (n : Nat) : True := double_odd'
