namespace LambdaSubst

inductive Term where
  | var : Nat → Term
  | app : Term → Term → Term
  | lam : Term → Term

def lift (ρ : Nat → Nat) : Nat → Nat
  | 0 => 0
  | i + 1 => ρ i + 1

def rename (ρ : Nat → Nat) : Term → Term
  | .var i => .var (ρ i)
  | .app s t => .app (rename ρ s) (rename ρ t)
  | .lam t => .lam (rename (lift ρ) t)

def up (σ : Nat → Term) : Nat → Term
  | 0 => .var 0
  | i + 1 => rename (· + 1) (σ i)

def subst (σ : Nat → Term) : Term → Term
  | .var i => σ i
  | .app s t => .app (subst σ s) (subst σ t)
  | .lam t => .lam (subst (up σ) t)

def single (s : Term) : Nat → Term
  | 0 => s
  | i + 1 => .var i

/-- Put `s` in for the outermost variable of `t`. -/
def inst (t s : Term) : Term := subst (single s) t

theorem subst_var (t : Term) : subst .var t = t := sorry

theorem subst_subst (σ τ : Nat → Term) (t : Term) :
    subst τ (subst σ t) = subst (fun i => subst τ (σ i)) t := sorry

theorem subst_inst (σ : Nat → Term) (t s : Term) :
    subst σ (inst t s) = inst (subst (up σ) t) (subst σ s) := sorry

end LambdaSubst
