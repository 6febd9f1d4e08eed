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

theorem rename_rename (ρ ξ : Nat → Nat) (t : Term) :
    rename ξ (rename ρ t) = rename (fun i => ξ (ρ i)) t := by
  induction t generalizing ρ ξ with
  | var i => rfl
  | app s t ihs iht => simp only [rename, ihs, iht]
  | lam t ih =>
    simp only [rename, ih]
    congr 2
    funext i
    cases i <;> rfl

theorem subst_rename (ρ : Nat → Nat) (σ : Nat → Term) (t : Term) :
    subst σ (rename ρ t) = subst (fun i => σ (ρ i)) t := by
  induction t generalizing ρ σ with
  | var i => rfl
  | app s t ihs iht => simp only [rename, subst, ihs, iht]
  | lam t ih =>
    simp only [rename, subst, ih]
    congr 2
    funext i
    cases i <;> rfl

theorem rename_subst (σ : Nat → Term) (ρ : Nat → Nat) (t : Term) :
    rename ρ (subst σ t) = subst (fun i => rename ρ (σ i)) t := by
  induction t generalizing ρ σ with
  | var i => rfl
  | app s t ihs iht => simp only [rename, subst, ihs, iht]
  | lam t ih =>
    simp only [rename, subst, ih]
    congr 2
    funext i
    cases i with
    | zero => rfl
    | succ i =>
      simp only [up, rename_rename]
      rfl

theorem subst_var (t : Term) : subst .var t = t := by
  have same : up .var = .var := by
    funext i
    cases i <;> rfl
  induction t with
  | var i => rfl
  | app s t ihs iht => simp only [subst, ihs, iht]
  | lam t ih => simp only [subst, same, ih]

theorem subst_subst (σ τ : Nat → Term) (t : Term) :
    subst τ (subst σ t) = subst (fun i => subst τ (σ i)) t := by
  induction t generalizing σ τ with
  | var i => rfl
  | app s t ihs iht => simp only [subst, ihs, iht]
  | lam t ih =>
    simp only [subst, ih]
    congr 2
    funext i
    cases i with
    | zero => rfl
    | succ i =>
      simp only [up, subst_rename, rename_subst]

theorem subst_inst (σ : Nat → Term) (t s : Term) :
    subst σ (inst t s) = inst (subst (up σ) t) (subst σ s) := by
  simp only [inst, subst_subst]
  congr 1
  funext i
  cases i with
  | zero => rfl
  | succ i =>
    simp only [single, up, subst, subst_rename]
    exact (subst_var (σ i)).symm

end LambdaSubst
